/** The demo shop's behaviours, each in its own module and found by its `data-*` attribute. */
import { startBasket } from "./basket.js";
import { startForms } from "./forms.js";
import { startGallery } from "./gallery.js";
import { startHeat } from "./heat.js";

startGallery(document);
startBasket(document);
startForms(document);
startHeat(document);
