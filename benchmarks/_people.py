"""Made-up people for the scenes: names of eleven cultures, numbers with valid check digits, dates in many spellings."""

from __future__ import annotations

import datetime

import numpy as np

from fixtures._cards import Person

RNG = np.random.Generator

NAMES: dict[str, tuple[str, str]] = {
    "english": (
        "Wilfred Harriet Edmund Beatrice Oliver Poppy Rupert Daphne",
        "Pemberton Ashworth Blackwood Hargreaves Thistlewood Cox",
    ),
    "maori": (
        "Marama Hemi Aroha Tāne Ngaire Wiremu Rangi Mere Hinewai",
        "Te Wharekura|Ngata|Rangiaho|Tūhoe|Parata|Te Rangi|Kāretu|Waaka",
    ),
    "pacific": (
        "Sione Mele Tevita Lupe Fa'afetai Ioane Sina Viliami",
        "Faleolo Tuilagi Fonoti Taufa Leaupepe Vaipulu Moala Ta'ala",
    ),
    "chinese": ("Xiuying Wei Jing Haoran Yuxuan Lan Guoqiang Meiling", "Zhang Huang Ouyang Xu Zheng Qiu Li Wu"),
    "indian": (
        "Priya Rajesh Ananya Venkatesh Lakshmi Arjun Harpreet",
        "Raman Chatterjee Subramanian Iyer Patel Kaur Deshpande",
    ),
    "arabic": (
        "Fatima Yusuf Layla Abdulrahman Noor Khalid Zaynab",
        "Al-Hashimi|Haddad|El-Sayed|Bin Rashid|Mansour|Qasim",
    ),
    "vietnamese": ("Nguyễn|Trần|Lê|Phạm|Đặng|Võ", "Thị Hoa|Văn Minh|Thu Hương|Quốc Bảo|Ngọc Ánh"),
    "polish": (
        "Małgorzata Zbigniew Agnieszka Krzysztof Łucja Wojciech",
        "Dziedzic Wójcik Szczepański Kowalczyk Żurawska Mazur",
    ),
    "spanish": (
        "José Guadalupe Íñigo Concepción Andrés Luz Ramón",
        "Castellano|García Núñez|Muñoz|de la Cruz|Ibáñez|Peña",
    ),
    "african": (
        "Chukwuemeka Adaeze Kwabena Thandiwe Oluwaseun Nomvula",
        "Okonkwo Mensah Dlamini Adeyemi Nkosi Abubakar",
    ),
    "korean": ("Jiwoo Minseo Seojun Haeun Dongwook Yuna", "Kim Park Choi Jeong Yoon Hwang"),
}
STREETS = ("Kowhai Road", "Quarry Lane", "Acacia Street", "Station Terrace", "Calle Mayor", "Elm Crescent", "Bridge St")
TOWNS = ("Hastings", "Buxton", "Cowra", "Gisborne", "Leominster", "Dubbo", "Ōtaki", "Salford M6 8HD")
WARDS = (
    "Ward 7 Bed 12",
    "Cedar Ward",
    "Bay 3 Bed 4",
    "Theatre 2",
    "ICU bed 9",
    "Burns Unit",
    "4 North",
    "Ward B2-11",
    "Clinic 5",
)
NHI_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def _words(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


def _digits(rng: RNG, n: int) -> list[int]:
    return [int(v) for v in rng.integers(0, 10, n)]


def nhi(rng: RNG) -> str:
    """New Zealand National Health Index, old form (HISO 10046): three letters, three digits, mod-11 check digit."""
    while True:
        letters = [int(v) for v in rng.integers(0, 24, 3)]
        digits = _digits(rng, 3)
        total = sum((v + 1) * w for v, w in zip(letters, (7, 6, 5), strict=True))
        total += sum(v * w for v, w in zip(digits, (4, 3, 2), strict=True))
        if total % 11:
            return "".join(NHI_LETTERS[v] for v in letters) + "".join(map(str, digits)) + str((11 - total % 11) % 10)


def nhi_new(rng: RNG) -> str:
    """New Zealand National Health Index, new form (HISO 10046:2023): AAANNA and a mod-23 check letter."""
    letters = [int(v) for v in rng.integers(0, 24, 3)]
    digits, last = _digits(rng, 2), int(rng.integers(0, 24))
    values = [v + 1 for v in letters] + digits + [last + 1]
    total = sum(v * w for v, w in zip(values, (7, 6, 5, 4, 3, 2), strict=True))
    check = NHI_LETTERS[23 - total % 23 - 1]
    return "".join(NHI_LETTERS[v] for v in letters) + "".join(map(str, digits)) + NHI_LETTERS[last] + check


def nhs(rng: RNG) -> str:
    """NHS number (England): ten digits, mod-11 check digit."""
    while True:
        digits = [9, *_digits(rng, 8)]
        check = (11 - sum(d * (10 - k) for k, d in enumerate(digits)) % 11) % 11
        if check < 10:
            text = "".join(map(str, [*digits, check]))
            return f"{text[:3]} {text[3:6]} {text[6:]}"


def medicare(rng: RNG) -> str:
    """Medicare card number (Australia): eight digits, check digit, issue number, and often a person's number."""
    digits = [int(rng.integers(2, 7)), *_digits(rng, 7)]
    check = sum(d * w for d, w in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9), strict=True)) % 10
    text = "".join(map(str, [*digits, check, 1]))
    return f"{text[:4]} {text[4:9]} {text[9]}"


def ihi(rng: RNG) -> str:
    """Individual Healthcare Identifier (Australia, AS 5017): 16 digits from 800360 with a Luhn check digit."""
    digits = [8, 0, 0, 3, 6, 0, *_digits(rng, 9)]
    total = sum(sum(divmod(2 * d, 10)) if k % 2 == 0 else d for k, d in enumerate(digits))
    text = "".join(map(str, [*digits, -total % 10]))
    return " ".join(text[k : k + 4] for k in range(0, 16, 4))


def ssn(rng: RNG) -> str:
    """Social Security number (United States): area 001 to 899 but 666, group, serial."""
    area = int(rng.integers(1, 900))
    return f"{area + (area == 666):03d}-{int(rng.integers(1, 100)):02d}-{int(rng.integers(1, 10000)):04d}"


def mrn(rng: RNG) -> str:
    """A hospital's own record number, in one of several shapes."""
    n = "".join(map(str, _digits(rng, 8)))
    return (n, f"MRN{n[:7]}", f"{n[:3]}-{n[3:6]}-{n[6:]}", f"H{n[:6]}")[int(rng.integers(4))]


NUMBERS = (
    ("NHI", nhi),
    ("NHI", nhi_new),
    ("NHS No", nhs),
    ("Medicare", medicare),
    ("IHI", ihi),
    ("SSN", ssn),
    ("MRN", mrn),
    ("UR", mrn),
)


def date(rng: RNG) -> str:
    """A date of birth or of the day."""
    day = datetime.date(1930, 1, 1) + datetime.timedelta(days=int(rng.integers(0, 35000)))
    style = ("%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d", "%d %B %Y", "%d.%m.%y", "%m/%d/%Y", "%d%b%y", "%b %d, %Y", "%d %m %Y")
    return day.strftime(style[int(rng.integers(len(style)))])


def name(rng: RNG, culture: str) -> str:
    """A name of a culture, in one of the ways wards write names."""
    given, family = (_words(part)[int(rng.integers(len(_words(part))))] for part in NAMES[culture])
    styles = (
        f"{given} {family}",
        f"{family.upper()}, {given}",
        f"{given} {family}".upper(),
        f"{family.upper()} {given}",
        f"{given[0]}. {family}",
    )
    return styles[int(rng.integers(len(styles)))]


def person(rng: RNG) -> Person:
    """A patient, the number of some country, a ward, a doctor."""
    culture = list(NAMES)[int(rng.integers(len(NAMES)))]
    other = list(NAMES)[int(rng.integers(len(NAMES)))]
    shown, made = NUMBERS[int(rng.integers(len(NUMBERS)))]
    digits = "".join(map(str, _digits(rng, 9)))
    phone = (
        f"021 {digits[:3]} {digits[3:7]}",
        f"(0{digits[0]}) {digits[1:5]} {digits[5:]}",
        f"+44 20 7946 {digits[:4]}",
        "",
    )[int(rng.integers(4))]
    street, town = STREETS[int(rng.integers(len(STREETS)))], TOWNS[int(rng.integers(len(TOWNS)))]
    address = f"{int(rng.integers(1, 200))} {street}, {town}" if rng.random() < 0.7 else ""
    return Person(
        name(rng, culture),
        made(rng),
        shown,
        date(rng),
        WARDS[int(rng.integers(len(WARDS)))],
        f"Dr {name(rng, other)}",
        phone,
        address,
        culture,
    )
