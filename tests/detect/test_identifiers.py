from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medimg.detect.text import identifiers
from medimg.detect.text.known import Known, dates_in
from medimg.types import KnownValues

HARMLESS = {
    "STERILE": "harmless",
    "Mepilex Border 10 x 10 cm": "harmless",
    "Do not reuse": "harmless",
    "Singleuseonly": "harmless",
    "forirrigation": "harmless",
    "for irrgation": "harmless",
    "Temperoture": "harmless",
    "Paracetamoll 500 mg": "harmless",
    "Fitzpatrick scale": "possible-name",
    "NaCl 0.9%": "harmless",
    "Left foot": "possible-name",
    "Brown slough": "possible-name",
    "Baker's cyst": "possible-name",
    "Kelly forceps": "possible-name",
    "Lower leg ulcer": "possible-name",
    "Do not use if package is damaged": "harmless",
    "Stage 2": "harmless",
    "Potassium chloride 20 m": "harmless",
    "Date: ____": "harmless",
    "\u00a9 The Tiffen Company, 2007": "harmless",
    "3M": "unit",
    "FeverCheck": "harmless",
    "ColorTarget Classic 24": "harmless",
    "Dermovate 0.05 % cream": "harmless",
    "37.9.c": "unit",
    "mL": "unit",
    "Noradrenaline 4 mg/50 ml": "harmless",
    "Rate 12.5 mcg/kg/min": "harmless",
    "Time remaining 4 h 58 min": "harmless",
    "20 tablets": "harmless",
    "Store at 2 - 8 C": "harmless",
    "stérile": "harmless",
    "Pulse 72": "harmless",
    "left heel 4 x 5 cm": "harmless",
    "Powder free nitrile gloves, Medium": "possible-name",
    "Patient Name": "harmless",
    "L": "laterality",
    "RIGHT": "laterality",
    "10cm": "unit",
    "500 ml": "unit",
    "98%": "unit",
    "10 x 12 cm": "unit",
    "128/74": "unit",
    "HR": "harmless",
    "SpO2 %": "harmless",
    "Paracetamol 500 mg tablets": "harmless",
    "PATIENT'S NAME": "harmless",
    "Smith & Nephew": "harmless",
    "Registered Nurse": "harmless",
    "Made in Germany": "possible-name",
    "LOT 4821A EXP 2027-05": "harmless",
    "LOT: 21340187 Exp. 05/2027": "harmless",
    "EXP 31.01.2028 LOT B77": "harmless",
    "EXP 2027-05": "harmless",
    "EXP DATE: 2027/05": "harmless",
    "salt water": "possible-name",
    "100 \u00b5m": "unit",
    "100 \u03bcm": "unit",
    "42.90": "unit",
    "256.0": "unit",
    "82,5": "unit",
    "1 D 3.42 cm": "unit",
    "Dist 4.2 mm": "unit",
    "\u00a32.49": "harmless",
    "2 for \u00a33.50": "harmless",
    "4,50 \u20ac": "harmless",
    "28 Tabletten": "harmless",
    "10 Kapseln": "harmless",
    "100 Stück": "harmless",
    "40 compresse": "harmless",
    "4 mg / 4 ml": "unit",
    "500/125 mg": "unit",
    "EXP 06/27": "harmless",
    "Använd före 2028-05": "harmless",
    "Verwendbar bis 2027-03": "harmless",
    "14:00 - 16:00": "harmless",
    "8:30 Uhr bis 17:00 Uhr": "harmless",
}

IDENTIFYING = {
    "NHS 943 476 5919": "record-number",
    "ZZZ0016": "record-number",
    "ZBN77VL": "record-number",
    "ZZZ00AX": "record-number",
    "MRN: 00123456": "record-number",
    "HOSP NO 12-34-567": "record-number",
    "2123 45670 1": "record-number",
    "DOB 12/03/1956": "date",
    "10/26/2017": "date",
    "3rd of March".replace("of ", "") + " 2021": "date",
    "2024-02-29": "date",
    "14.I.26": "date",
    "3/xii/2025": "date",
    "6 ottobre": "date",
    "Brest, le 6 octobre 2025": "date",
    "1. März": "date",
    "2 de enero": "date",
    "Maart 2024": "date",
    "Tel 021 555 1234": "phone",
    "+64 21 555 123": "phone",
    "jo.bloggs@example.org": "email",
    "14 Queen Street": "address",
    "SW1A 1AA": "address",
    "Middlemore Hospital": "hospital",
    "Health New Zealand": "hospital",  # plain words beside a country
    "Ward 5B": "hospital",
    "Burns Unit": "hospital",
    "Coronary Care Unit": "hospital",
    "Bed 12": "hospital",
    "UHID: AIM.25.90117": "record-number",
    "UHIDAIM.25.90117": "record-number",
    "UHID: DH/25/0031-877": "record-number",
    "CR No. 2025/113": "record-number",
    "IP No: 88213": "record-number",
    "HN 61-004418": "record-number",
    "AN: 6801123": "record-number",
    "M\u00e3 BN: 25.118.0044": "record-number",
    "\u75c5\u6848\u53f7 334521": "record-number",
    "\u4f4f\u9662\u53f7\uff1a0055213": "record-number",
    "\ub4f1\ub85d\ubc88\ud638 11235813": "record-number",
    "45 yrs": "age",
    "80/F": "age",
    "35 / M": "age",
    "F/62": "age",
    "Age: 7": "age",
    "SMITH, John": "name",
    "Dr Foot": "name",
    "Rawiri Ngata": "name",
    "Oluwaseun Adeyemi": "name",
    "María Gutiérrez": "name",
    "123-45-6789": "id-number",
    "PESEL: 66041208745": "record-number",
    "Fall-Nr.: 80041736": "record-number",
    "Personnr 580923-4427": "record-number",
    "C.F. SPSRTI66D52H501X": "id-number",
    "Imi\u0119 i nazwisko:\u017baneta W\u0105\u017c": "name",
    "Lekarz: S. D\u0119bski": "name",
    "Nom (usage) : Hu": "name",
    "Hasta Ad\u0131: Kaya": "name",
    "\u041f\u0430\u0446\u0438\u0435\u043d\u0442: \u041f\u0435\u0442\u0440\u043e\u0432": "name",
    "D. nar. 4": "date",
    "Szpital Miejski": "hospital",
    "Clinica Sant'Anna": "hospital",
}

NEVER_KEPT = [
    "Foot", "Rose", "Black", "Long", "May", "Grant", "Young", "Hope", "Max", "Lee", "Bill White", "Patient Foot",
    "Nurse Rose", "Te Whakapapa", "Xiomara", "Longbottom", "Featherstone", "Whiteside", "Wednesday", "5", "1956",
    "123456", "A1234567", "Kowhai", "Rx 7QK2", "Ngo Do", "An On", "王小明", "Иванова", "محمد", "",
    "M", "J", "1 2 1956", "Sterile Kapoor", "Left Ngata", "12/03", "78", "31/12",
    "Smith", "Smith & Nephew Rose", "Wei's", "Patient's Foot", "DOB 12", "France",
    "Freshwater", "Weatherspoon", "Pressimone", "Bartolotto", "Burns", "Newton", "Fitzpatrick", "Dusty",
    "Partridge", "Netherland", "Hartmann", "Temperatura Ngata", "Obsxrvatxon", "Irrgation2", "Drssing", "1623 red",
    "Comfort", "Deep", "Made", "Bégin", "Bašić", "Be\u0301gin", "Lung", "Parent", "More", "Can", "Per", "Lord",
    "McDonald", "DeSouza", "MaryBeth", "VanDyke", "RoseCare", "StoneFoot", "Date", "Were", "Were - heel",
    "Left heel 2024", "\u00a9 Quispe 2024", "ML", "MG", "Date Foot",
    "Wound 14-5", "Opened 12-11", "wound 05 01 61", "Wound 4821", "Ulcer 84", "Left heel 14 5", "4 Ng heel",
    "5 Ma wound",
    "To left heel", "An - sacrum", "Dressing To daily", "Brown left heel", "Head - sacrum",
    "Foot left heel",
    "110w/2017", "10/2cm", "Exp 2026-04", "2017",
    "5.07", "31.12", "12.84", "3,84", "1.1.56", "D. 3 cm Quispe", "Val 03/2026",
    "06/27", "4 Stock", "28 Tabi Ngata", "12/03 m", "Quispe 4.50 \u20ac",
    "14:00", "14:00 - 16:00 Ngata", "14.00 - 16.00",
]  # fmt: skip


@pytest.mark.parametrize(("text", "category"), HARMLESS.items())
def test_harmless_lines_stay(text: str, category: str) -> None:
    assert identifiers.classify(text, 0.95).category == category


@pytest.mark.parametrize(("text", "category"), IDENTIFYING.items())
def test_identifying_lines_are_named_and_strong(text: str, category: str) -> None:
    assert identifiers.classify(text, 0.95) == (category, True)


@pytest.mark.parametrize("text", NEVER_KEPT)
def test_names_and_unknown_words_are_never_kept(text: str) -> None:
    assert identifiers.classify(text, 0.99).category not in identifiers.KEPT


@pytest.mark.parametrize("text", HARMLESS)
def test_half_read_words_are_no_ground_to_keep_anything(text: str) -> None:
    assert identifiers.classify(text, 0.55).category not in identifiers.KEPT


BESIDE = (
    "{} left heel", "{} - sacrum", "Photo by {}", "Assessed by {}", "Wound care: {}", "{}   sacrum ulcer", "{}  heel",
    "{} dressing change", "left heel {}", "{}, right leg ulcer", "4 {} sacrum", "{} Mepilex Border", "{} 10 cm",
    "R) heel {}",
)  # fmt: skip
SURNAMES = """
Smith Brown Taylor Walker White Green Hall King Wood Hill Cooper Ward Baker Lee Young Parker Scott Carter Turner Gray
Fox Mason Chan Ho Ma Lo Le Wan Ng Do To An Day Price Long Short Small Black Stone Rose Page Bell Field Marsh Power
Lamb Low High Card Blood Lung Comfort More Deep Doctor Lord Made Begin Free Wall Hardy Head Hand
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", SURNAMES)
def test_a_name_that_is_a_word_is_not_kept_beside_a_plain_word(name: str) -> None:
    """The likes of awslabs/ferret-scan#172: whiteboards and labels write a name, then the part of the body."""
    for template in BESIDE:
        for said in (name, name.upper()):
            line = template.format(said)
            assert identifiers.classify(line, 1.0).category not in identifiers.KEPT, line


@pytest.mark.parametrize(
    "text",
    ["Keep out of reach of children", "the sight and reach", "TAKE ONE CAPSULE FOUR TIMES A DAY",
     "Keepoutofreachofchildren", "Swallow this medicine", "COLOUR CHECKER 24",
     "Single use only. Do not use if cloudy.", "Alarms Off  Main Setup", "Compound Sodium Lactate 1000 mL",
     "Expiry MAR 2027", "Batch K2209 Expiry MAR 2027", "Store in a cool dry place", "Sodium chloride 0.9%",
     "STERILE EO"],
)  # fmt: skip
def test_printed_sentences_stay_whole_or_in_part(text: str) -> None:
    assert identifiers.classify(text, 0.95).category == "harmless"


@pytest.mark.parametrize(
    "text",
    ["Keep out of reach of Rawiri", "Ngata swallow whole", "reach of", "Head", "take one Mary", "Swallow",
     "for Mary", "", "Day Surgery Ngata", "Ngata Main Setup", "Mary Smith 20 ml", "MARY 2029-08"],
)  # fmt: skip
def test_a_word_more_or_two_words_alone_are_no_printed_sentence(text: str) -> None:
    assert identifiers.classify(text, 0.95).category not in identifiers.KEPT


@pytest.mark.parametrize("text", ["kg " * 400, "keep dry " * 400, "take one " * 2000])
def test_sentences_without_end_are_bounded_work(text: str) -> None:
    assert identifiers.harmless(text) in {"", *identifiers.KEPT}
    assert identifiers.classify(text, 0.95).category not in identifiers.KEPT


def test_every_printed_sentence_has_a_word_that_must_stand() -> None:
    from medimg.detect.text import lexicon as _lexicon

    lines = [line for line in _lexicon.data("lexicon/sentences.txt").splitlines() if line and not line.startswith(";")]
    assert len(lines) > 200
    assert [line for line in lines if all("" in part.split("/") for part in line.split())] == []


def test_no_name_is_a_printed_sentence() -> None:
    from medimg.detect.text import lexicon as _lexicon

    names = sorted(_lexicon.may_be_names())
    beside = [a + b for a, b in zip(names, [*names[7:], *names[:7]], strict=True)]
    assert [name for name in names + beside if _lexicon.printed(name)] == []


def test_every_phrase_is_made_of_listed_words() -> None:
    """A phrase with a word that no list knows never counts."""
    from medimg.detect.text import lexicon as _lexicon

    sections = _lexicon.lexicon()
    parts = {part for phrase in _lexicon.phrases() for part in phrase if part.isalpha() and len(part) > 1}
    assert len(_lexicon.phrases()) > 2000
    assert sections["both"] & parts
    assert not sections["plain"] & (sections["both"] | sections["name"] | sections["small"])


def test_no_listed_name_is_kept_alone_or_beside_another() -> None:
    from medimg.detect.text import lexicon as _lexicon

    names = sorted(_lexicon.names())
    assert len(names) > 900
    for first, second in pairwise(names):
        assert identifiers.classify(first, 1.0).category not in identifiers.KEPT, first
        assert identifiers.classify(f"{first} {second}".title(), 1.0).category not in identifiers.KEPT


def test_words_that_are_names_too_are_never_kept_alone() -> None:
    from medimg.detect.text import lexicon as _lexicon

    lexicon = _lexicon.lexicon()
    for word in lexicon["name"]:
        assert identifiers.classify(word.title(), 1.0).category not in identifiers.KEPT, word
    assert not lexicon["plain"] & lexicon["name"]
    assert not lexicon["plain"] & _lexicon.names()


@pytest.mark.parametrize("text", ["9434765918", "943 476 5910"])
def test_wrong_check_digit_is_still_not_kept(text: str) -> None:
    assert identifiers.identify("X " + text) != "name"
    assert identifiers.classify(text, 0.99).category not in identifiers.KEPT


def test_letters_that_look_like_digits_do_not_hide_a_number() -> None:
    assert identifiers.classify("943 476 59l9", 0.9).category == "record-number"
    assert identifiers.classify("DOB I2/O3/1956", 0.9).category == "date"


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7.0), ("10", 10.0), ("15 cm", 15.0), ("2,5", 2.5), ("i5", 15.0), ("lo", None), ("1956", None), ("7a", None)],
)
def test_numerals(text: str, value: float | None) -> None:
    assert identifiers.numeral(text) == value


KNOWN = Known(
    KnownValues(names=("Aroha Te Rangi", "Li Na", "Müller"), numbers=("ABC-1234", "0045 781 93"), dates=("1956-03-12",))
)


@pytest.mark.parametrize(
    "text",
    [
        "AROHA", "Te Rangi, A.", "Ar0ha", "Na Li", "LINA", "muller", "MULLER J", "abc 1234", "ABCI234", "A8C-1234",
        "NHI ABC1234 F", "00457B193", "004578193", "12/03/1956", "12.3.56", "March 12, 1956", "12 MAR 56", "12031956",
        "1956-03-12", "03/12/1956",
    ],
)  # fmt: skip
def test_known_values_are_found_with_what_readers_confuse(text: str) -> None:
    assert identifiers.classify(text, 0.5, KNOWN) == ("known", True)


@pytest.mark.parametrize("text", ["STERILE", "Na", "13/03/1956", "ABD-9234", "10 cm", "", "Mills"])
def test_other_values_are_not_known(text: str) -> None:
    assert not KNOWN.matches(text)


def test_nothing_known_matches_nothing() -> None:
    assert not Known(KnownValues()).matches("anything 12/03/1956")


def test_a_date_that_can_mean_two_days_means_both() -> None:
    assert {(d.month, d.day) for d in dates_in("03/04/1956")} == {(3, 4), (4, 3)}
    assert dates_in("99/99/1956") == []


@settings(max_examples=150)
@given(st.text(max_size=400), st.floats(0, 1))
def test_any_text_gets_a_verdict(text: str, score: float) -> None:
    verdict = identifiers.classify(text, score, KNOWN)
    assert verdict.category
    assert not (verdict.strong and verdict.category in identifiers.KEPT)


@settings(max_examples=60)
@given(st.integers(0, 10**12), st.sampled_from(["", "MRN ", "ABC", "No. "]))
def test_long_numbers_are_never_kept(number: int, before: str) -> None:
    if number >= 10_000:
        assert identifiers.classify(f"{before}{number}", 1.0).category not in identifiers.KEPT


@pytest.mark.parametrize("text", ["\x1b[31mSTERILE\x07", "<script>alert(1)</script>", "a" * 200_000, "1 " * 100_000])
def test_hostile_text_is_bounded_and_not_kept(text: str) -> None:
    assert identifiers.classify(text, 1.0).category not in identifiers.KEPT


@pytest.mark.parametrize(
    "line",
    ["LOT 4821A", "2027-05", "LOT 4821A 2027-05", "Smith EXP 2027-05", "LOT Smith EXP 2027-05", "EXP 1961-07-04",
     "LOT 4821A EXP 2027-05 5550173", "lot 5550173 exp 2027-05", "EXPERT 2027-05"],
)  # fmt: skip
def test_a_batch_stays_only_beside_its_last_day_and_nothing_else(line: str) -> None:
    assert identifiers.classify(line, 1.0).category not in identifiers.KEPT


def test_a_known_number_is_covered_as_a_batch_too() -> None:
    known = Known(KnownValues(numbers=("4821A",)))
    assert identifiers.classify("LOT 4821A EXP 2027-05", 1.0, known).category == "known"


@pytest.mark.parametrize("line", ["Salt left heel", "Salt   skin tear", "SALT - sacrum", "Dressing by Salt"])
def test_salt_is_a_surname_too(line: str) -> None:
    assert identifiers.classify(line, 1.0).category not in identifiers.KEPT


@pytest.mark.parametrize("line", ["2) ng knee", "3) ma", "4: ng heel"])
def test_a_name_behind_its_number_in_a_list_is_no_unit(line: str) -> None:
    assert identifiers.classify(line, 1.0).category not in identifiers.KEPT


@pytest.mark.parametrize("line", ["Situ", "Situ left leg ulcer", "SITU - sacrum", "Photo by Situ", "Ulcer - Situ"])
def test_a_surname_that_is_half_of_in_situ_is_covered(line: str) -> None:
    assert identifiers.classify(line, 1.0).category not in identifiers.KEPT


@pytest.mark.parametrize("line", ["Drain in situ", "Melanoma in situ", "Line in situ"])
def test_in_situ_stays(line: str) -> None:
    assert identifiers.classify(line, 1.0).category in identifiers.KEPT


@pytest.mark.parametrize(
    "line",
    [
        "Mepilex for You",
        "To wound",
        "Photo by Im",
        "Dressed by Im",
        "R Head left foot",
        "L Nail right heel",
        "Wipes for Self",
    ],
)
def test_a_surname_that_makes_a_phrase_by_chance_is_covered(line: str) -> None:
    assert identifiers.classify(line, 1.0).category not in identifiers.KEPT


@pytest.mark.parametrize("line", ["apply to wound", "for you", "by im", "R head", "Made in Ireland", "FOR SALE"])
def test_phrases_without_such_a_capital_stay(line: str) -> None:
    assert identifiers.classify(line, 1.0).category in identifiers.KEPT


@pytest.mark.parametrize(
    "line",
    [
        "Nicht zur Wiederverwendung", "Vor Sonnenlicht sch\u00fctzen", "VOR SONNENLICHT SCHUTZEN", "Notausgang",
        "Ne pas r\u00e9utiliser", "Tenir hors de la port\u00e9e des enfants", "Sortie de secours",
        "No reutilizar", "Mantener fuera del alcance de los ni\u00f1os", "Salida de emergencia",
        "Non riutilizzare", "Conservare in luogo fresco e asciutto", "Manter fora do alcance das crian\u00e7as",
        "Niet hergebruiken", "Buiten bereik van kinderen houden", "F\u00f6rvaras o\u00e5tkomligt f\u00f6r barn",
        "Oppbevares utilgjengelig for barn", "M\u00e5 ikke genbruges", "Ei saa k\u00e4ytt\u00e4\u00e4 uudelleen",
        "Nie u\u017cywa\u0107 ponownie", "Nepou\u017e\u00edvejte opakovan\u011b", "Tek kullan\u0131ml\u0131kt\u0131r",
        "Jauhkan dari jangkauan anak-anak", "Weka mbali na watoto", "Jauhkandarijangkauan",
        "For single patient use", "DO NOT ENLARGE OR REDUCE", "Photomacrographic scale", "Break glass",
        "Haematoxylin and eosin", "Sound the alarm", "K2EDTA 4 ml", "Braun ThermoScan", "B. Braun Melsungen AG",
    ],
)  # fmt: skip
def test_print_of_other_languages_devices_and_signs_stays(line: str) -> None:
    assert identifiers.classify(line, 0.95).category in identifiers.KEPT


@pytest.mark.parametrize(
    "line",
    [
        "Wasser", "Zucker", "Braun", "Philips", "Hamilton", "Hamilton medical", "Paul Hartmann", "Blanche", "Puls",
        "De la Luz", "De los Santos", "Tam", "Sem", "Drag", "Tirez", "Mi Mi", "Kan Kan", "Hand", "Way - sacrum",
        "Peak dressing change", "Bath left heel", "Fuera de la Cruz", "Verband Wasser", "Pansement Blanche",
        "Ap\u00f3sito Rosa", "Arzt Braun", "M\u00e9dico Rosa", "Schwester Anna", "Y\u0131ld\u0131z", "Montag",
    ],
)  # fmt: skip
def test_names_among_words_of_other_languages_are_covered(line: str) -> None:
    assert identifiers.classify(line, 1.0).category not in identifiers.KEPT


def test_every_word_with_accents_is_known_without_them_or_is_none() -> None:
    """A reader drops accents: the bare form must be as safe, so it is a plain word too."""
    from medimg.detect.text import lexicon as _lexicon
    from medimg.detect.text.known import folded

    sections = _lexicon.lexicon()
    assert len(sections["accented"]) > 2000
    assert not {w for w in sections["accented"] if folded(w) in _lexicon.may_be_names()}
    assert sections["accented"] & _lexicon.names() == set()


def test_sentences_are_written_as_they_are_compared() -> None:
    from medimg.detect.text import lexicon as _lexicon

    lines = [line for line in _lexicon.data("lexicon/sentences.txt").splitlines() if not line.startswith(";")]
    assert [line for line in lines if not line.isascii() or line != line.lower()] == []
    assert len(lines) == len(set(lines) - {""}) + lines.count("")


@pytest.mark.parametrize(
    ("text", "scale"), [("14/3", False), ("6/8/17", False), ("1/2", True), ("3/16 in", True), ("7 8 9", True)]
)
def test_a_day_and_month_beside_a_ruler_are_no_figures_of_it(text: str, scale: bool) -> None:
    assert identifiers.scale_text(text) == scale
