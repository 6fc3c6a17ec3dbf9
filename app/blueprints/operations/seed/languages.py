"""The languages of the demo data, with their sentences: left to right, right to left, and without spaces.

`{product}`, `{code}`, `{order}`, `{number}` and `{sum}` are filled in; whatever a language lacks of a kind is
taken from its `other`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One language: how often it is written (of 1,000), its sentences by category, and its names."""

    code: str
    weight: int
    sentences: dict[str, tuple[str, ...]]
    details: tuple[str, ...]
    closings: tuple[str, ...]
    short: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


ENGLISH = Language(
    code="en",
    weight=610,
    sentences={
        "bug": (
            "The code {code} says applied but the total stays the same.",
            "Add to basket does nothing on the second try.",
            "Postcode field refuses Irish postcodes.",
            "The payment page stays white after I press the button.",
            "Gift card balance shows NaN after reload.",
            "The picture of the {product} does not load.",
            'I get "Something went wrong" when I change the address of order {order}.',
            "Checkout takes {number} seconds and then times out.",
            "The filter forgets my choice when I go back.",
            "The total is {sum} EUR on the phone and something else on the computer.",
            "Signing in sends me round in a circle.",
            "The date picker offers Sunday although nobody delivers then.",
            "The invoice of order {order} opens as an empty page.",
            'Search finds nothing for "{product}" but the category has it.',
            "Week {number} is drawn twice in the report, the next one is missing.",
            "The menu covers the button on my screen.",
        ),
        "idea": (
            "Let me download all invoices of a year at once.",
            "A filter by colour would save me a lot of scrolling.",
            'Search should find "skillet" when I mean pan.',
            "Please remember the size I bought last time.",
            "Show the weight of the {product} on its page.",
            "A wish list that I can share would be lovely.",
            "Offer delivery to a parcel shop.",
            "Let me reorder {order} with one press.",
            "A dark theme, please.",
            "Tell me when the {product} is back in stock.",
            "I would like to compare two pans side by side.",
        ),
        "question": (
            "Can I send back a set if I only keep one of them?",
            "Why can I not change the country of a saved address?",
            "Where do I see when the rest of order {order} will be sent?",
            "Does the {product} work on induction?",
            "How long is a gift card good for?",
            "Is {code} still valid for the {product}?",
            "Do you deliver to Norway, and what does it cost?",
            "Which size fits four people?",
            "How do I take my old address out of the account?",
        ),
        "praise": (
            "Clearest guide to seasoning that I have read.",
            "The {product} is lovely, thank you!",
            "Ordered on Monday, here on Tuesday. Impressive.",
            "I like how quickly the basket loads now.",
            "Best returns page of any shop I know 👏",
            "Your support answered within {number} minutes, on a Sunday.",
        ),
        "other": (
            "The phone number on this page rings out.",
            "I wrote last week about order {order} and never heard back.",
            "Your newsletter came {number} times today.",
            "I moved; please correct my address.",
            "The box was open when it arrived, nothing is missing though.",
        ),
    },
    details=(
        "I tried it in a private window too.",
        "It worked until last week.",
        "It happens every time, also after a restart.",
        "My colleague sees the same on her machine.",
        "The basket holds {number} items.",
        "Order {order}, paid by card.",
        "I had entered {code} before.",
        "On the phone it is fine.",
        "It concerns the {product} only.",
        "The page showed {sum} EUR a moment before.",
        "The network was slow, if that matters.",
        "I pressed it {number} times.",
        "The console says: TypeError: discount is null.",
        "See the picture, I marked the place.",
    ),
    closings=(
        "I would like to order before the offer ends on Sunday.",
        "Thank you for looking into it.",
        "Please call me if you need more.",
        "Otherwise a great shop!",
        "Not urgent.",
        "This costs us half an hour each day.",
        "Happy to test a fix.",
        "Best regards from Cork.",
    ),
    short=(
        "Broken.",
        "Does not work",
        "?",
        "👍",
        "love it ❤️",
        "Total is wrong",
        "Slow!",
        "404",
        "same again",
    ),
    first_names=(
        "Tom",
        "Claire",
        "Ben",
        "Hannah",
        "Oluwaseun",
        "Priya",
        "Grace",
        "Liam",
        "Sofia",
        "Noah",
        "Ada",
    ),
    last_names=(
        "Ashby",
        "Fontaine",
        "Whitlock",
        "Okafor",
        "Adeyemi-Bankole",
        "Murphy",
        "Patel",
        "Hughes",
        "Lee",
    ),
)
GERMAN = Language(
    code="de",
    weight=110,
    sentences={
        "bug": (
            "Der Gutschein {code} wird angenommen, aber die Summe bleibt gleich.",
            "Die Zahlungsseite bleibt nach dem Absenden weiß.",
            "Das Bild zum {product} lädt nicht.",
            "Beim Ändern der Lieferadresse erscheint eine Fehlermeldung.",
        ),
        "idea": (
            "Bitte eine Sammelrechnung für das ganze Jahr anbieten.",
            "Ein Filter nach Größe wäre hilfreich.",
            "Die Mehrfachauswahlfilterleistenbeschriftung ist zu lang; bitte kürzen.",
        ),
        "question": ("Wann kommt der Rest von Bestellung {order}?", "Gilt {code} auch für Geschenkkarten?"),
        "praise": ("Sehr schneller Versand, danke!", "Die Anleitung zum Einbrennen ist hervorragend."),
        "other": ("Unter der Telefonnummer ist niemand zu erreichen.", "Bitte meine Adresse berichtigen."),
    },
    details=("Das passiert jedes Mal.", "Im privaten Fenster ebenso.", "Es geht um Bestellung {order}."),
    closings=("Vielen Dank für die Mühe.", "Viele Grüße aus Köln.", "Es eilt nicht."),
    short=("Geht nicht.", "Super!", "Fehler"),
    first_names=("Jürgen", "Anke", "Matthias", "Saskia"),
    last_names=("Müller", "Größmann", "Schäfer-Weißenborn", "Vogt"),
)
FRENCH = Language(
    code="fr",
    weight=60,
    sentences={
        "bug": (
            "Le code {code} est accepté mais le total ne change pas.",
            "La page de paiement reste blanche.",
        ),
        "idea": ("Pourriez-vous proposer la livraison en point relais ?", "Un thème sombre serait agréable."),
        "question": ("Où en est ma commande {order} ?", "La poêle convient-elle à l’induction ?"),
        "praise": ("Livraison très rapide, merci !",),
        "other": ("Le numéro de téléphone ne répond pas.",),
    },
    details=("Cela arrive à chaque fois.", "J’ai essayé dans un autre navigateur.", "Commande {order}."),
    closings=("Merci d’avance.", "Bien à vous."),
    short=("Ne marche pas", "Parfait !"),
    first_names=("Élodie", "Benoît", "Zoé"),
    last_names=("Lefèvre", "Dubois", "d’Aubigné"),
)
SPANISH = Language(
    code="es",
    weight=60,
    sentences={
        "bug": ("Desconto aplicado, total igual.", "No puedo cambiar la dirección del pedido {order}."),
        "idea": ("Estaría bien filtrar por color.", "¿Por qué no ofrecen recogida en tienda?"),
        "question": ("¿Cuándo llega el pedido {order}?", "¿El código {code} sigue siendo válido?"),
        "praise": ("¡Qué rápido llegó todo, gracias!",),
        "other": ("Recibí el boletín {number} veces hoy.",),
    },
    details=("Pasa siempre.", "En el móvil funciona bien.", "El total era {sum} EUR."),
    closings=("Gracias y un saludo.", "No es urgente."),
    short=("No funciona", "¡Genial!"),
    first_names=("Ana", "Íñigo", "María José"),
    last_names=("Ruiz", "Núñez", "García Márquez"),
)
POLISH = Language(
    code="pl",
    weight=25,
    sentences={
        "bug": ("Kod {code} działa, ale suma się nie zmienia.",),
        "other": ("Kiedy przyjdzie zamówienie {order}?", "Proszę o poprawienie adresu."),
    },
    details=("Zdarza się to za każdym razem.",),
    closings=("Dziękuję i pozdrawiam.",),
    short=("Nie działa",),
    first_names=("Zażółć", "Łukasz", "Agnieszka"),
    last_names=("Wójcik", "Brzęczyszczykiewicz"),
)
TURKISH = Language(
    code="tr",
    weight=20,
    sentences={
        "bug": ("{code} kodu uygulanıyor ama toplam değişmiyor.", "Ödeme sayfası boş kalıyor."),
        "other": ("Siparişim {order} ne zaman gelir?", "İndirimli ürünleri nerede bulabilirim?"),
    },
    details=("Her seferinde oluyor.",),
    closings=("Teşekkürler.",),
    short=("Çalışmıyor",),
    first_names=("Yusuf", "Işıl"),
    last_names=("Demir", "Yıldırım"),
)
RUSSIAN = Language(
    code="ru",
    weight=20,
    sentences={
        "bug": ("Код {code} принят, но сумма не изменилась.", "Страница оплаты остаётся пустой."),
        "other": ("Когда придёт заказ {order}?", "Спасибо, всё пришло быстро!"),
    },
    details=("Так происходит каждый раз.",),
    closings=("С уважением.",),
    short=("Не работает", "Спасибо!"),
    first_names=("Наталья", "Фёдор"),
    last_names=("Щербакова", "Иванов"),
)
GREEK = Language(
    code="el",
    weight=8,
    sentences={"other": ("Ο κωδικός {code} δεν αλλάζει το σύνολο.", "Πότε θα έρθει η παραγγελία {order};")},
    details=("Συμβαίνει κάθε φορά.",),
    closings=("Ευχαριστώ πολύ.",),
    short=("Δεν δουλεύει",),
    first_names=("Ελένη",),
    last_names=("Παπαδοπούλου",),
)
ARABIC = Language(
    code="ar",
    weight=18,
    sentences={
        "bug": ("تم قبول الرمز {code} لكن المجموع لم يتغير.", "صفحة الدفع تبقى بيضاء بعد الضغط على الزر."),
        "other": ("متى يصل الطلب رقم {order}؟", "شكرا على الخدمة السريعة."),
    },
    details=("يحدث هذا في كل مرة.", "جربت متصفح Firefox أيضا."),
    closings=("مع أطيب التحيات.",),
    short=("لا يعمل", "ممتاز"),
    first_names=("ليلى", "يوسف"),
    last_names=("الحسيني", "منصور"),
)
HEBREW = Language(
    code="he",
    weight=8,
    sentences={"other": ("הקוד {code} התקבל אבל הסכום לא השתנה.", "מתי תגיע הזמנה {order}?")},
    details=("זה קורה בכל פעם.",),
    closings=("תודה רבה.",),
    short=("לא עובד",),
    first_names=("נועה",),
    last_names=("לוי",),
)
HINDI = Language(
    code="hi",
    weight=10,
    sentences={"other": ("कोड {code} लागू हुआ पर कुल राशि वही है।", "ऑर्डर {order} कब आएगा?")},
    details=("हर बार ऐसा होता है।",),
    closings=("धन्यवाद।",),
    short=("काम नहीं करता",),
    first_names=("प्रिया",),
    last_names=("शर्मा",),
)
CHINESE = Language(
    code="zh",
    weight=20,
    sentences={
        "bug": ("优惠码{code}显示已使用，但是总价没有变化。", "付款页面一直是空白的。"),
        "other": ("订单{order}什么时候发货？", "希望可以按颜色筛选商品。"),
    },
    details=("每次都会这样。", "换了浏览器也一样。"),
    closings=("谢谢！",),
    short=("打不开", "很好"),
    first_names=("伟", "秀英"),
    last_names=("王", "李"),
)
JAPANESE = Language(
    code="ja",
    weight=20,
    sentences={
        "bug": ("クーポン{code}を入力しても合計が変わりません。", "支払いページが真っ白のままです。"),
        "other": ("注文{order}の残りはいつ届きますか。", "とても使いやすいお店です。"),
    },
    details=("毎回同じです。", "スマートフォンでは問題ありません。"),
    closings=("よろしくお願いいたします。",),
    short=("動かない", "最高です"),
    first_names=("芽衣", "健太"),
    last_names=("田中", "小林"),
)
KOREAN = Language(
    code="ko",
    weight=11,
    sentences={"other": ("쿠폰 {code}을 적용해도 합계가 그대로예요.", "주문 {order}은 언제 도착하나요?")},
    details=("매번 그렇습니다.",),
    closings=("감사합니다.",),
    short=("안 돼요",),
    first_names=("민준",),
    last_names=("김",),
)
LANGUAGES = (
    *(ENGLISH, GERMAN, FRENCH, SPANISH, POLISH, TURKISH, RUSSIAN, GREEK),
    *(ARABIC, HEBREW, HINDI, CHINESE, JAPANESE, KOREAN),
)
