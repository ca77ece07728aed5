"""The commonest surnames of ten places, for :mod:`benchmarks.names`.

Those of the United Kingdom, the United States, New Zealand, Ireland and India are Faker's lists; those it has none of
are written here, the commonest first as far as known, and lengthened from the sources that
:mod:`benchmarks._sourced_surnames` names. China has 500 in Chinese signs, and 498 in Latin letters: so few spellings
are there for 601 surnames. No source whose terms allow it has 500 of Australia (495 here), Vietnam (174; a few hundred
are all there are), the Philippines (253) or the Pacific (271).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from benchmarks import _sourced_surnames as sourced

AU = """
Smith Jones Williams Brown Wilson Taylor Johnson White Martin Anderson Thompson Nguyen Thomas Walker Harris Lee Ryan
Robinson Kelly King Singh Davis Wright Evans Roberts Green Hall Wood Jackson Clarke Patel Khan Lewis James Phillips
Mitchell Scott Watson Moore Edwards Hill Clark Cooper Campbell Baker Murphy Turner Allen Young Morris Hughes Ward Cook
Harrison Parker Adams Morgan Collins Bell Miller Stewart Rogers McDonald Carter Simpson Davies Bailey Murray Chen Tran
Wang Li Zhang Liu Wong Chan Lim Tan Le Pham Kaur Sharma Kumar Ali Ahmed Mohamed Hussein Shaw Stevens Reid Graham
Marshall Matthews Russell Webb Ross Palmer Gray Fisher Foster Hunt Holmes Mills Barnes Butler Price Wells Knight Fox
Cox Grant Burns Day Dunn Black Stone Rose Ford Lane West Little Long Short Hart Bishop Page Pearce Perry Power Byrne
Walsh Doyle Kennedy Lynch Quinn Burke Nolan Dixon Hudson Carroll Douglas Duncan Ferguson Fraser Gibson Gordon Hamilton
Henderson Hunter Johnston Kerr Lawson Mackenzie McLean Muir Paterson Robertson Sutherland Wallace Abbott Armstrong
Atkinson Austin Barker Bennett Berry Booth Bradley Brooks Burton Carr Chapman Coleman Crawford Cross Dawson Dean
Elliott Ellis Fletcher Francis French Gardner Gill Griffiths Hardy Harvey Hayes Higgins Howard Jenkins Jordan Lawrence
Lloyd Lowe Mason May Nash Newman Nicholls O'Brien O'Connor Oliver Owen Parsons Payne Porter Powell Richards Saunders
Sharp Small Spencer Swan Todd Wade Warren Waters Watts Weston Woods Bird Bond Bray Brennan Cameron Chandler Church
Cole Crane Cruz Cummings Curtis Dale Drew Field Flynn Frost Fuller Gale Glover Good Goodwin Hand Head Heath Hope Horn
House Kent Key Lamb Love Low Marsh Mead Moss Nichol North Park Peck Penny Pike Pitt Poole Pope Potter Pratt Rush Sands
Savage Sharpe Shepherd Snow Steel Steele Stokes Summers Swift Temple Thorn Vale Vance Waller Weaver Webster
Wilde Winter Wolf York Best Bull Bush Case Castle Child Coates Dyer Early Eaves England Farmer Finch Flower
Forest Fry Garland Gold Golding Hale Holland
""".split()  # noqa: SIM905
VN = """
Nguyễn Trần Lê Phạm Huỳnh Hoàng Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý An Âu Bạch Bành Bế Biện Bồ Ca Cái Cam Can Cao
Cát Cầm Chế Chiêm Chu Chung Chử Cổ Cù Cung Cư Danh Doãn Dư Đái Đàm Đan Đào Đậu Đèo Điền Điêu Đinh Đoàn Đồng Đới Đường
Giang Giáp Giả Hà Hán Hàn Hạ Hình Hoa Hùng Hứa Kha Khổng Khuất Khương Kiều Kim La Lã Lại Lâm Lao Lăng Liên Liêu Liễu
Lò Long Lô Lộ Lỗ Lục Lữ Lương Lưu Ma Mã Mạc Mai Man Mạnh Mao Mẫn Mầu Miêu Minh Mộc Nghê Nghiêm Ngũ Ngụy Nhâm Nhan Nhữ
Nông Ông Phí Phó Phong Phú Phù Phùng Phương Quách Quan Quang Quản Quế Sa Sầm Sơn Sử Sung Tạ Tán Tăng Tất Tề Thạch Thái
Than Thang Thành Thân Thẩm Thập Thi Thiều Thôi Thục Tiêu Tiết Tô Tôn Tống Trang Trà Trình Trịnh Trương Triệu Từ
Tưởng Ty Uông Ưng Vạn Văn Vi Viên Vong Vòng Vương Xa Yên
""".split()  # noqa: SIM905
PH = """
Dela-Cruz Cruz Garcia Reyes Ramos Mendoza Santos Flores Gonzales Bautista Villanueva Fernandez De-Guzman Lopez Perez
Castillo Francisco Rivera Aquino Castro Sanchez Torres De-Leon Domingo Martinez Rodriguez Santiago Soriano
Delos-Santos Diaz Hernandez Tolentino Valdez Ramirez Morales Mercado Tan Aguilar Navarro Manalo Gomez Dizon
Del-Rosario Javier Corpuz Gutierrez Salvador Velasco Miranda David Salazar Ferrer Alvarez Sarmiento Pascual Lim
Delacruz Marquez Jimenez Cortez Antonio Agustin Rosales Manuel Mariano Evangelista Pineda Enriquez Ocampo Alcantara
Pascua Dela-Pena Ignacio Valencia Chavez Ortega Rosario Santillan Velasquez Legaspi Padilla Lucero Cabrera Rubio
Vargas Robles Medina Cordero Guevarra Esguerra Lozada Estrada Panganiban Magno Macaraeg Magsaysay Dimaculangan
Macapagal Batungbakal Lacson Sy Go Ong Chua Co Uy Yu Ang Ching Dee King Lao Que Tiu Yap Young Abad Abalos Abella
Acosta Alonzo Amparo Andres Apostol Arroyo Asuncion Austria Baluyot Basilio Belen Bernardo Bonifacio Borja
Buenaventura Bueno Cadiz Calma Camacho Canlas Capulong Caraan Catapang Celis Clemente Concepcion Constantino
Crisostomo Cuevas Dalisay Datu Dato Deguzman Dumlao Duran Espino Espiritu Fajardo Feliciano Galang Galvez Gatchalian
Guerrero Guinto Hilario Ilagan Inocencio Jacinto Jose Lapid Laurel Lazaro Limjoco Lorenzo Lumbre Luna Mabini Macaraig
Madrid Magat Magbanua Malonzo Manansala Mangubat Manzano Marasigan Marcelo Mateo Matias Mata Medalla Mejia Molina
Natividad Nepomuceno Nicolas Nieto Oliva Ordonez Pablo Palma Pangilinan Parong Payumo Peralta Ponce Principe Quiambao
Quinto Quizon Razon Recto Resurreccion Rizal Roces Romero Roque Roxas Sabado Salonga Samson Silang Simbulan Sison
Solis Sumulong Tamayo Tantoco Tecson Tiongson Trinidad Tuazon Umali Valenzuela Ventura Vergara Vicente Viray Yambao
Yulo Zamora Zapata Zulueta Baby Grace Joy Bong Bing Boy Ting Bangon Pan Sanidad Mercy
""".split()  # noqa: SIM905
PACIFIC = """
Tonga Taufa Vainikolo Fifita Latu Tupou Moala Mafi Havili Folau Tuipulotu Vea Fonua Kata Lolohea Pale Paea Taumoepeau
Tau Taukeiaho Tuita Fusitua Kaho Maka Mahe Kava Pauga Pome'e Puli Sekona Sika Tapueluelu Tatafu Taufahema Leota
Leavasa Lealaiauloto Faleafa Fa'alogo Tuilagi Tuiasosopo Tuala Tuimavave Tuigamala Toleafoa Toomata Taupau Tapasu
Tanielu Tamasese Sapolu Su'a Sua So'o Schwalger Schuster Pati Patu Peters Penitani Ofisa Meredith Mata'afa Malielegaoi
Lima Lemalu Lauaki Laulala Iosefa Ioane Hunt Hunkin Fuimaono Fepulea'i Fata Faumuina Faletau Aiono Afoa Ah-Chong
Ah-Kuoi Alo Ale Amituanai Kumar Singh Prasad Lal Chand Ram Sharma Narayan Devi Reddy Naidu Khan Ali Bale Baleiwai Bola
Bolatini Cakau Caucaunibuca Delai Delana Ganilau Koroi Kubuabola Lomu Mara Nacewa Nadolo Naivalu Nakarawa Qera Qiliho
Radrodro Rabuka Ratu Ravouvou Rokocoko Seruiratu Sivivatu Tagicakibau Tikoirotuma Tuisova Vakatawa Vatubua Volavola
Vunibaka Waqa Waqaseduadua Yabaki Aroha Ngata Parata Tamihana Henare Paki Rangi Waititi Tawhai Kingi Wihongi Pomare
Karaka Hohepa Haami Hape Harawira Hiko Kaa Kaka Karaitiana Kawhia Kereama Mahuta Maka Mane Marino Matene Mete Mihaka
Ngapo Nikora Pene Pere Pohatu Poi Potae Pou Puru Rata Rewi Rika Ruru Ruka Tai Tamati Tane Tapsell Taua Te-Ao Te-Kanawa
Tipene Toa Tua Tuhoe Turei Waaka Wairua Walker Whaanga Wikaira Wineti Apelu Apisai Bani Kaino Kele Kila Kaupa Namaliu
Nate Natera Nou Oala Pala Pora Somare Tau Tom Wari Temu Kalo Kalsakau Lini Natapei Salwai Sope Tari Vira Willie
Maelanga Sogavare Hou Lilo Mamaloni Kenilorea Tabai Tito Tong Teannaki Onorio Moses Harris Dube Dowiyogo Scotty Adeang
Keke Waqa Batsiua Remengesau Nakamura Toribiong Whipps Amata Bingham Henry Puna Marsters Brown Maoate Rasmussen Talagi
Lakatani Vivian Tagelagi Ielemia Latasi Panapa Paeniu Sopoaga Toafa Natano
""".split()  # noqa: SIM905


def common() -> dict[str, tuple[str, ...]]:
    """Place -> its surnames, at most 500."""
    out: dict[str, tuple[str, ...]] = {}
    for place, locale, attribute in (
        ("UK", "en_GB", "last_names"),
        ("US", "en_US", "last_names"),
        ("NZ", "en_NZ", "last_names"),
        ("IE", "en_IE", "last_names"),
        ("IN", "en_IN", "last_names"),
    ):
        out[place] = _first(getattr(importlib.import_module(f"faker.providers.person.{locale}").Provider, attribute))
    for place, names in (
        ("CN", sourced.CN),
        ("CN, in signs", sourced.CN_SIGNS),
        ("AU", AU + sourced.AU),
        ("VN", [*VN, *sourced.VN]),
        ("PH", PH),
        ("Pacific", PACIFIC + sourced.PACIFIC),
    ):
        out[place] = tuple(dict.fromkeys(name.replace("-", " ") for name in names))[:500]
    return out


def _first(names: Mapping[str, float] | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(names, Mapping):
        return tuple(sorted(names, key=lambda name: -names[name]))[:500]
    return tuple(dict.fromkeys(names))[:500]
