"""What is wrong with a query: where, why, and what was probably meant."""

from app.errors import ClientError, FieldError


class QueryError(ClientError):
    """A query that cannot be read: 422 `query_invalid`, field `q`.

    `position` and `end` are characters of the text, counted from 0: what stands between them is at fault.
    `suggestion` is the whole query as it was probably meant, or None.
    """

    def __init__(self, sentence: str, position: int, end: int, suggestion: str | None = None) -> None:
        hint = f" Did you mean “{suggestion}”?" if suggestion else ""
        message = f"At character {position + 1}: {sentence}{hint}"
        super().__init__(422, "query_invalid", "The query cannot be read.", [FieldError("q", message)])
        self.sentence = sentence
        self.position = position
        self.end = end
        self.suggestion = suggestion
