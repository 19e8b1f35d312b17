"""Imprint text: what a catalogue, a person or an OCR wrote, made comparable.

Two levels. `normalise` gives the tokens a person would say are on the pill, whatever the catalogue's habits
("D분할선7.5 ", "d;7.5", "Ｄ | 7.5" all become D, 7.5). `fold` goes further and merges letters that cannot be told
apart when pressed into a tablet (0/O/D/Q, 1/I/L, 5/S, 8/B, 2/Z, 6/G): it is for comparing, never for showing.
"""

import re
import unicodedata
from typing import Final

NON_TEXT: Final = (
    # Korean MFDS (measured counts in the list of 2021-01-12: 4,893 / 3,305 rows)
    "십자분할선", "분할선", "마크", "로고", "삼각형",
    # Taiwan FDA: "none", descriptions in words, and "head" and "tail" of a capsule
    "無", "六邊形裡面有", "頭", "尾",
)  # fmt: skip
"""Words that describe a side and are written between or even inside letters: each acts as a separator."""

NON_TEXT_WORDS: Final = frozenset({
    "LOGO", "MARK", "IMPRINT", "IMPRINTED", "DEBOSSED", "EMBOSSED", "ENGRAVED", "PRINTED", "SCORE", "SCORED",
    "BISECT", "BISECTED", "BLANK", "PLAIN", "NONE", "ON", "ONE", "SIDE", "OTHER", "THE", "AND", "WITH", "SCORELINE",
})  # fmt: skip
"""English words of description. They count as such only beside another one: pills do say ON, SIDE or ONE."""

DESCRIBING: Final = frozenset({
    "LOGO", "IMPRINT", "IMPRINTED", "DEBOSSED", "EMBOSSED", "ENGRAVED", "PRINTED", "SCORED", "BISECT", "BISECTED",
    "BLANK", "PLAIN", "SCORELINE",
})  # fmt: skip
"""Words that no pill of the three catalogues carries: where one stands, the words around it are description too."""

MARKS: Final = ("마크", "로고", "삼각형", "六邊形裡面有", "LOGO", "MARK")
"""Words that say that something other than letters is on the side: it is not blank."""

SHAPED_LIKE: Final = str.maketrans({
    "Λ": "A", "∧": "A", "Α": "A", "∩": "N", "∪": "U", "○": "O", "ㅇ": "O", "〇": "O", "Β": "B", "Ο": "O",
    "Γ": "R", "Ω": "W", "≡": "E", "×": "X", "®": " ", "™": " ", "⁄": "/", "：": ":",
})  # fmt: skip
"""Symbols that Korean rows use for the letter they look like (Λ 708 times: "ΛUK"), and marks nobody reads."""

LOOK_ALIKE: Final = str.maketrans({
    "0": "O", "D": "O", "Q": "O", "1": "I", "L": "I", "|": "I", "!": "I", "5": "S", "8": "B", "2": "Z", "6": "G",
})  # fmt: skip

UPSIDE_DOWN: Final = dict(zip("01689HINOSXZMW", "01986HINOSXZWM", strict=True))
"""What a sign looks like when the pill lies the other way up; signs that are none then are left out."""

_NON_TEXT: Final = re.compile("|".join(sorted(map(re.escape, NON_TEXT), key=len, reverse=True)))
_TOKEN: Final = re.compile(r"[^\W_]+(?:(?<=\d)[./](?=\d)[^\W_]+)*")  # 7.5 and 5/50 stay one token


def normalise(text: str) -> tuple[str, ...]:
    """Tokens of an imprint in reading order: upper case, NFKC, without words that describe the side.

    A token is a run of letters (Hangul and Han kept) or digits; decimal points and fractions stay inside numbers.
    Spaces, `;`, `,`, `|`, score lines and logos separate tokens. Repeated tokens are kept.
    """
    text = _NON_TEXT.sub(" ", text.translate(SHAPED_LIKE))
    text = unicodedata.normalize("NFKC", text).upper().translate(SHAPED_LIKE)
    tokens = tuple(_TOKEN.findall(text))
    if any(token in DESCRIBING for token in tokens):
        tokens = tuple(token for token in tokens if token not in NON_TEXT_WORDS)
    return tokens


def upside_down(text: str) -> str | None:
    """What a person reads who holds the pill the other way up ("W 66" for 99 M); None where that is no text.

    A text of one look either way is returned as None too: it has no other reading.
    """
    tokens = normalise(text)
    if not tokens or any(sign not in UPSIDE_DOWN for token in tokens for sign in token):
        return None
    turned = " ".join("".join(UPSIDE_DOWN[sign] for sign in reversed(token)) for token in reversed(tokens))
    return None if normalise(turned) == tokens else turned


def is_hangul(sign: str) -> bool:
    """Whether it is one of the 11,172 syllables."""
    return "\uac00" <= sign <= "\ud7a3"


def bare(token: str) -> str:
    """A token without points and slashes, which are hardly ever seen."""
    return token.replace(".", "").replace("/", "")


def fold(token: str) -> str:
    """A token for comparing: look-alike letters merged, points and slashes dropped."""
    return bare(token).translate(LOOK_ALIKE)


def is_blank(text: str | None) -> bool | None:
    """True: known to carry neither letters nor a logo; False: known to carry something; None: not known.

    `text`: a catalogue's own words for one side, None when it does not say.
    """
    if text is None:
        return None
    if normalise(text):
        return False
    return not any(mark in text.upper() for mark in MARKS)
