"""What goes in and what comes out, field by field, with units. The JSON of `/v1` is exactly these models."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pipeline.vocabulary import COLORS, FORMS, SCORE_LINES, SHAPES

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Box = Annotated[list[float], Field(min_length=4, max_length=4)]
"""x1, y1, x2, y2 in pixels of the upright photo."""

Decision = Literal["identified", "candidates", "unidentified"]
Reason = Literal["no_pill", "several_pills", "too_blurry", "too_dark", "too_small", "not_in_catalog"]
SideName = Literal["front", "back"]


class Model(BaseModel):
    """Strict base: an unknown field is a mistake, not an extension."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(Model):
    """One line of text that the OCR believes to see. An empty text: it believes that nothing is written there."""

    text: str
    confidence: Probability  # calibrated: the chance that the text is exactly what is written there
    box: Box  # px of the turned cut-out
    rotation: int  # degrees counter-clockwise the cut-out was turned to read it
    steps: list[dict[str, Probability]] = []  # along the line: the likeliest signs there; the rest to 1 is "no sign"


class CatalogItem(Model):
    """One row of a catalogue: facts only, in the words of `pipeline.vocabulary`."""

    item_id: str
    catalog: str
    name: str
    manufacturer: str | None = None
    ingredient: str | None = None
    imprint_front: str | None = None  # as printed in the catalogue, lines joined by one space; "" = known blank
    imprint_back: str | None = None
    imprint_source: Literal["catalog", "twin", "read"] | None = None  # "read": by our OCR from the reference photo
    sides_known: bool = True  # False: the catalogue does not say which imprint is on which side
    shape: str | None = None
    colors: list[str] = []
    form: str | None = None
    score_line: str | None = None
    length_mm: float | None = None
    width_mm: float | None = None
    has_photo: bool = False
    same_appearance: list[str] = []  # ids of other items that show the same photo
    source: str = ""  # attribution with its date
    catalog_date: str = ""


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=PRINTABLE)]
Imprint = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
Millimetres = Annotated[float, Field(gt=0, le=150)]


class NewItem(Model):
    """A pill somebody adds to a catalogue of their own. Its id becomes `catalog:key`."""

    catalog: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
    name: Line
    manufacturer: Line | None = None
    ingredient: Line | None = None
    imprint_front: Imprint | None = None  # as printed; "" = known to be blank, None = not known
    imprint_back: Imprint | None = None
    shape: Literal[SHAPES] | None = None  # type: ignore[valid-type]  # a tuple of words at run time
    colors: list[Literal[COLORS]] = []  # type: ignore[valid-type]
    form: Literal[FORMS] | None = None  # type: ignore[valid-type]
    score_line: Literal[SCORE_LINES] | None = None  # type: ignore[valid-type]
    length_mm: Millimetres | None = None
    width_mm: Millimetres | None = None


class Evidence(Model):
    """How well each kind of evidence agrees with a candidate; None = that evidence was not to be had."""

    visual: Probability | None = None
    imprint: Probability | None = None
    color: Probability | None = None
    shape: Probability | None = None
    form: Probability | None = None


class Candidate(Model):
    """One catalogue item in the ranked answer."""

    rank: int = Field(ge=1)
    item_id: str
    catalog: str
    name: str
    manufacturer: str | None
    score: Probability  # calibrated: the chance that this item (or one of same_appearance) is the pill
    evidence: Evidence
    imprint_front: str | None
    imprint_back: str | None
    shape: str | None
    colors: list[str]
    form: str | None
    same_appearance: list[str]
    image_url: str | None = None
    drawing_url: str


class PillBox(Model):
    """Where in the upright photo the pill is."""

    box: Box
    score: Probability


class ImprintRead(Model):
    text: str
    confidence: Probability


class NamedProbability(Model):
    name: str
    probability: Probability


class Quality(Model):
    """Can this photo be judged at all? 1 = perfect.

    `issues`: the reason for refusing it, if any, else what a better photo would mend: "blurry", "overexposed", "glare",
    "cut_off". The list may grow.
    """

    sharpness: Probability
    exposure: Probability
    issues: list[str] = []


class Side(Model):
    """What was seen on one photo. Fields are None when that stage did not run or its runner was down."""

    side: SideName
    pill: PillBox | None = None
    cutout_url: str | None = None
    imprint: ImprintRead | None = None
    colors: list[NamedProbability] = []
    shape: NamedProbability | None = None
    form: NamedProbability | None = None
    quality: Quality | None = None


class Versions(Model):
    bundle: str
    models: dict[str, str]
    index: str
    catalogs: dict[str, str]


class Identification(Model):
    """The answer of `/v1/identify`."""

    decision: Decision
    reason: Reason | None
    candidates: list[Candidate]
    sides: list[Side]
    missing: list[str]
    versions: Versions
    timings_ms: dict[str, float]


class Hints(Model):
    """What a person adds by hand. A hint narrows, it never excludes on its own."""

    imprint: str | None = None
    shape: str | None = None
    color: str | None = None


class ImageSize(Model):
    width: int
    height: int


class DetectedPill(Model):
    """One pill of `/v1/detect`; decision and candidates only with identify=true."""

    box: Box
    score: Probability
    polygon: list[tuple[float, float]]  # px of the upright photo, outline of the mask
    decision: Decision | None = None
    reason: Reason | None = None
    candidates: list[Candidate] | None = None


class DetectionResult(Model):
    """The answer of `/v1/detect`."""

    pills: list[DetectedPill]
    image: ImageSize
    missing: list[str] = []
    versions: Versions
    timings_ms: dict[str, float]


class SearchResult(Model):
    """The answer of `/v1/search`: the same candidate objects, ranked by agreement."""

    candidates: list[Candidate]
    versions: Versions
    timings_ms: dict[str, float]


class ErrorBody(Model):
    code: str
    message: str
    request_id: str


class ErrorEnvelope(Model):
    error: ErrorBody
