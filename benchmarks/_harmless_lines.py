"""Two thousand lines that identify nobody: print on packets, rulers, monitors and walls, and clinical phrases.

The wording follows what manufacturers print on dressings, drugs and devices, the terms of wound charts, and (when the
package simple-icd-10-cm is there) descriptions of ICD-10-CM, a work of the United States' government.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

PRINT = """
Foam dressing with border|Silicone foam dressing|Adhesive foam dressing|Non-adherent dressing|Low adherent dressing
Absorbent dressing pad|Silver alginate dressing|Calcium alginate|Antimicrobial silver dressing|Honey dressing
Hydrogel sheet|Hydrocolloid thin|Extra thin hydrocolloid|Soft silicone|Soft silicone wound contact layer|Gauze swabs
Non-woven swabs|Cotton gauze|Cotton wool balls|Cotton crepe bandage|100% cotton|Cotton tipped applicator|Eye pad
Crepe bandage|Tubular bandage|Short stretch bandage|Long stretch bandage|Compression bandage|Zinc paste bandage
Adhesive tape|Paper tape|Surgical tape|Silk tape|Micropore surgical tape|Transparent film dressing|Film dressing
Island dressing|Post-op dressing|Super absorbent dressing|Paraffin gauze|Iodine dressing|Charcoal dressing
Negative pressure wound therapy|Foam kit small|Foam kit medium|Foam kit large|Canister 300 ml|Black foam|White foam
Grey foam|Green foam|Sterile|STERILE|Sterile R|Sterile EO|STERILE EO|Non-sterile|Single use|Single use only
For single use only|Do not reuse|Do not re-use|Do not resterilize|Do not use if package is damaged
Do not use if pack is open|Use by|Use before|Use by date|Expiry date|Best before|Batch|Lot number|Batch number
LOT|REF|Store in a dry place|Store in a cool dry place|Keep dry|Keep away from sunlight|Keep out of reach of children
Keep out of the sight and reach of children|Protect from light|Protect from heat|Store below 25 C|Store below 30 C
Store at 2 - 8 C|Store between 5 and 25 C|Do not freeze|Do not refrigerate|Fragile|Handle with care|This side up
This way up|Open here|Open other end|Peel here|Peel open|Tear here|Pull here|Push here|Press here|Cut here|Lift here
Peel back to open|Twist to open|Shake well before use|Shake well|For external use only|External use only|For oral use
Read instructions before use|Read the instructions for use|See instructions for use|See leaflet|See package insert
Consult instructions for use|Not made with natural rubber latex|Latex free|Contains latex|Powder free|PVC free
DEHP free|Paraben free|Fragrance free|Alcohol free|Sugar free|Lactose free|Made in China|Made in Germany|Made in India
Made in Ireland|Made in France|Made in Poland|Made in Mexico|Made in Japan|Made in Thailand|Made in the USA|Made in UK
Made in Australia|Made in New Zealand|Made in Malaysia|Made in Sweden|Made in Denmark|Made in Turkey|Product of China
Manufactured by|Manufactured for|Distributed by|Imported by|Manufactured in Ireland|Packed in Poland
Keep this leaflet|Patient information|Medical device|Medical devices|Quantity 10|Qty 10|Qty: 5|Contents: 10
Contents 1 piece|10 pieces|5 pieces|20 tablets|28 tablets|100 tablets|50 swabs|100 swabs|10 dressings|5 dressings
Box of 10|Box of 50|Box of 100|Pack of 5|Pack of 10|1 pair|1 pc|Size S|Size M|Size L|Size XL|Size 7|Size 7.5
Size: Medium|Size: Large|Size: Small|Small|Medium|Large|Extra large|X-Large|Small / Medium|Large / Extra large
Nitrile gloves|Nitrile examination gloves|Powder free nitrile gloves|Blue nitrile gloves|Surgical gloves|Face mask
Surgical face mask|Type IIR|Fluid resistant|Fluid shield|Apron|Blue roll|Clean hands|Hand sanitiser|Hand gel
Hand wash|Hand rub|Alcohol hand rub|Alcohol hand gel|Antiseptic hand rub|Alcohol wipe|Skin wipe|Skin prep pad
Barrier film|Barrier cream|Skin barrier|No sting barrier film|Sting free|Normal saline|Sodium chloride 0.9%
Sodium chloride 0.9 % w/v|0.9% sodium chloride|Water for injections|Water for irrigation|Sterile water
Sterile water for irrigation|Glucose 5%|Hydrogen peroxide 3%|Povidone iodine 10%|Chlorhexidine 2%
Chlorhexidine gluconate 2%|Isopropyl alcohol 70%|70% alcohol|Silver sulfadiazine 1%|Lidocaine 1%|Lidocaine 2%
Hydrocortisone 1%|Betamethasone cream|Zinc oxide|Zinc and castor oil|White soft paraffin|Yellow soft paraffin
Liquid paraffin|Emollient cream|Aqueous cream|Coal tar|Tea tree oil|Aloe vera|Aloe vera gel|Manuka honey
Medical grade honey|Paracetamol 500 mg|Paracetamol 500 mg tablets|Ibuprofen 200 mg|Ibuprofen 400 mg tablets
Aspirin 100 mg|Amoxicillin 500 mg capsules|Flucloxacillin 500 mg|Metformin 500 mg|Tramadol 50 mg|Morphine 10 mg/ml
Insulin|Take with food|Take with or after food|May cause drowsiness|Pharmacy only|Prescription only|Take one daily
Take one tablet daily|Two tablets twice a day|One drop in each eye|Apply to skin|Apply thinly|Apply twice daily
Syringe 10 ml|10 ml syringe|Luer lock|Luer lock syringe|Needle 21 G|Blunt fill needle|Insulin syringe|Sharps
Sharps container|Sharps only|Fill line|Do not fill above this line|Do not overfill|Scalpel blade|Scalpel size 15
Blade no 10|No. 10|No. 15 blade|Kelly forceps|Mosquito forceps|Suture kit|Stitch cutter|Staple remover|Skin stapler
Skin closure strips|Wound closure strips|Steri-strip|Dressing pack|Dressing pack sterile|Dressing tray|Wound care pack
Catheter pack|Foley catheter|Drain bag|Drainage bag|Urine bag|Leg bag|Night bag|Saline flush|IV set|IV flush|Giving set
Blood glucose|Blood pressure|Blood pressure cuff|Adult cuff|Large adult|Small adult|Child|Infant|Fits left or right
Left or right hand|Left hand|Right hand|Mepilex Border|Mepilex Border Flex|Mepilex Ag|Mepilex Lite|Mepilex Heel
Mepilex Border Sacrum|Mepilex Border Heel|Allevyn Life|Allevyn Gentle Border|Allevyn Adhesive|Allevyn Heel|Aquacel Ag
Aquacel Foam|Aquacel Extra|Aquacel Ag Extra|Biatain Silicone|Biatain Ag|Tegaderm Film|Tegaderm Foam|Tegaderm|Opsite
OpSite Post-Op|Opsite Flexigrid|Jelonet|Inadine|Bactigras|Adaptic Touch|Cutimed Sorbact|UrgoTul|UrgoClean Ag
UrgoStart|Kaltostat|Sorbsan|Duoderm Extra Thin|Comfeel Plus|Granuflex|Intrasite Gel|Medihoney|Acticoat Flex 3
Acticoat 7|Iodosorb|Prontosan|Octenilin|Hypafix|Mefix|Fixomull stretch|Primapore|Melolin|Zetuvit Plus|Mesorb
Coban 2|Coban 2 Lite|Tubigrip|Tubifast blue line|Tubifast green line|Tubifast red line|Profore|K-Lite|K-Soft|Cavilon
Smith & Nephew|Smith+Nephew|Johnson & Johnson|Paul Hartmann AG|Cardinal Health|Baxter Healthcare|Lohmann & Rauscher
Molnlycke Health Care|Coloplast|ConvaTec|Essity|3M|Recycle this box|Please recycle|Recyclable|Green dot|Keep upright
Open this end|Top|Bottom|Front|Back|Inside|Wound side|Skin side|This side to wound|Wound contact side
This side to skin|Adhesive side|Printed side|White side|Shiny side down|Latex free adhesive|Hypoallergenic
Bed pan|Clinical waste|Offensive waste|General waste|Domestic waste|Sharp objects|Recycling only|Fire exit
Fire door keep shut|Push bar to open|Staff only|No entry|No smoking|No parking|Please wash your hands
Now wash your hands|Wash your hands|Clean your hands|Visitors please report to reception|Toilet|Male toilet
Female toilet|Disabled toilet|Wet floor|Caution wet floor|Emergency exit|Emergency|Danger|Warning|Danger of death
High voltage|Mind the step|Mind your head|Do not touch|Do not enter|Quiet please|Meal times|Nil by mouth|Rest time
Falls risk|Fall risk|High risk|Low risk|Allergy|Allergies: none|No known allergies|Observations|Fluid balance chart
Fluid chart|Food chart|Pain score|Pain score 3|Drug chart|Turn chart|Turning chart|Stool chart|Wound chart
Wound assessment chart|Early warning score|Left|Right|LEFT|RIGHT|L|R|Patient name|Name|Date|Time|Signature|Ward
Date of birth|Nurse|Doctor|Consultant|Print name|Sign here|Date opened|Date and time|Weight|Height|Temperature
Diet|Bed|Mobility|Plan|Notes|Pulse|Heart rate|Resp rate|Blood sugar|Oxygen|Air|Suction|Vacuum|On|Off|ON|OFF|Start
Stop|Start / stop|Reset|Mute|Silence alarm|Alarm off|Menu|Back|Next|Home|Power|Power on|Battery|Low battery
Charging|Ready|Standby|Mode|Rate|Volume|Flow|Pressure|Pressure mmHg|Continuous|Intermittent|Leak|Leak detected
Canister full|Therapy on|Therapy off|HR|SpO2|SpO2 %|NIBP|RESP|TEMP|ECG|Pulse bpm|HR bpm|ABP|CVP|etCO2|SYS|DIA|MAP
98%|128/74|120 / 80|36.8 C|37.2|72 bpm|500 ml|250 ml|15 cm|10 cm|5 cm|10 x 10 cm|12.5 x 12.5 cm|10cm x 10cm|15 x 20 cm
5 x 5 cm|7.5 x 7.5 cm|4 in x 4 in|4 x 4 inch|10 cm x 4 m|5 cm x 4.5 m|2.5 cm x 5 m|6 mm|18 G|22 G|14 Fr|12 FR|30 ml
cm|mm|inches|inch|0 1 2 3 4 5 cm|1 2 3 4 5 6 cm|cm 1 2 3|mm scale|Metric|Centimetres|Inches|Measuring tape
Paper ruler|Wound ruler|Wound measuring guide|Disposable wound ruler|Head|Foot|Head end|Foot end|12 o'clock|6 o'clock
Length|Width|Depth|Length x width|Length cm|Width cm|Depth cm|L x W x D|Grey card|Gray card|Colour card|White balance
18% gray|Neutral grey|Red|Green|Blue|Cyan|Magenta|Yellow|Black|White|Red Green Blue|Orange|Purple|Brown|Pink
"""
"""Print on packets, signs, monitors and rulers, one entry between strokes."""

PHRASES = """
Left leg|Right leg|Left lower leg|Right lower leg|Left foot|Right foot|L foot|R foot|Left hand|R hand|Back of left hand
Back of hand|Palm of right hand|Left palm|Right cheek|Left cheek|Chin|Left side of chin|Left shin|Right shin ulcer
Forehead|Back of head|Back of neck|Upper back|Lower back|Mid back|Left hip|Right hip|Left heel|Right heel ulcer
Heel ulcer|Leg ulcer|Foot ulcer|Diabetic foot|Diabetic foot ulcer|Venous leg ulcer|Arterial ulcer|Mixed ulcer
Mixed leg ulcer|Head wound|Head injury|Hand wound|Hand burn|Burn right hand|Scald left arm|Left arm|Right upper arm
Left forearm|Left thigh|Right thigh anterior|Left big toe|Right great toe|Great toe|Big toe|Second toe|Little toe
5th toe|Little finger|Ring finger|Index finger|Left ring finger|Nail bed|Nail bed injury|Toe nail|Ingrown toe nail
Nail fold|Fungal nail|Left eye|Right eye|Both eyes|Lip|Left ear|Tip of nose|Bridge of nose|Left side of nose
Pressure ulcer|Pressure ulcer sacrum|Pressure injury|Stage 2|Stage 3 pressure injury|Stage II|Category 2|Category 3
Grade 2|Grade 3 pressure ulcer|Unstageable|Deep tissue injury|Suspected deep tissue injury|Moisture lesion
Skin tear|Skin tear category 2|Type 1 skin tear|Surgical wound|Open wound|Wound edge|Wound edges|Wound bed|Wound base
Slough|Brown slough|Yellow slough|Black necrosis|Black eschar|Brown eschar|Dry eschar|Hard eschar|Green exudate
Green slough|Brown exudate|Pink tissue|Pink granulation|Red granulation|Healthy pink tissue|Pale pink|Bright red
Dark red|Dark brown|Light brown|Low exudate|High exudate|Moderate exudate|Heavy exudate|Small amount of exudate
Large amount|Small amount|Scant exudate|No exudate|No odour|No pain|Pain at rest|Painful|Night pain|Rest pain
Good granulation|Good healing|Healing well|Healed|Not healing|Slow to heal|Slow healing|Bone visible|Exposed bone
Bone exposed|Tendon exposed|Probe to bone|Probes to bone|Down to bone|To bone|Full thickness|Partial thickness
Full thickness burn|Partial thickness burn|Superficial burn|Flash burn|Flame burn|Cold burn|Chemical burn
Skin graft|Split skin graft|Skin graft site|Donor site|Donor site left thigh|Flap|Flap left leg|Free flap|Pre op
Post op|Post op day 3|Day 3|Day 10|Week 2|Week 6|Before|After|Before and after|Before treatment|After treatment
After debridement|Before debridement|Post debridement|Pre debridement|Baker cyst|Baker's cyst|Baker cyst left knee
Ganglion|Epidermoid cyst|Lipoma back|Mole|Mole left back|Mole on back|Melanoma|Basal cell carcinoma
Squamous cell carcinoma|BCC left cheek|Wart|Plantar wart|Rash|Rash on back|Drug rash|Nappy rash|Heat rash|Cold sore
Bed sore|Bite wound|Dog bite|Cat bite|Insect bite|Human bite|Tick bite|Gunshot wound|Stab wound|Burn|Scar|Keloid scar
Hypertrophic scar|Burn scar|Frost bite|Frostbite|Dry skin|Wet wound|Dry wound|Dry gangrene|Wet gangrene
Wound pain|Back pain|Hair loss|Hair line|Ice pack|Ice burn|Drain site|Drain site left|Drain in situ|Drain removed
Stitches out|Suture line|Staple line|Stoma|Stoma site|Stoma bag|Cannula site|Line site|Port site|Pin site
Pin site left leg|Cast edge|Plaster cast|Back slab|Boot|Air cast boot|Air mattress|Heel protector|Heel boot
Off loading|Change daily|Change every 3 days|Change every second day|Change twice a week|Twice weekly|Daily dressing
Dressing change|Dressing change 3 times a week|Redress in 3 days|Review in 1 week|Cover with foam|Pack with ribbon
Pack with alginate|Silver dressing|Silver foam|Honey and foam|Foam and tape|Gel and foam|Compression
Compression both legs
Both legs|Both feet|Both hands|Full compression|Light compression|High compression|Reduced compression
Measure length|Measured with ruler|Photo with ruler|Photo 1|Photo 2|Wound 1|Wound 2|Wound 3|Site 1|Site A|Ulcer 1
Close up|Close up view|Long view|Side view|Top view|Front view|Back view|Front|Lateral view|Medial view|Plantar view
Left lateral|Right lateral|Left medial malleolus|Lateral malleolus|Long axis|Short axis|Wound depth 2 cm|Depth 1 cm
Undermining 3 cm|Undermining at 3 o'clock|Tunnel 2 cm at 6 o'clock|Length 4 cm|Width 3.5 cm|4 x 3 cm|4 x 3 x 1 cm
Area 12 cm2|Area 5.2 cm|Ulcer 3 x 2 cm|Left heel 4 x 5 cm|Redness spreading|Redness|Warm to touch|Cold to touch|Hot
Hot and red|Red and hot|Swelling|Blister|Blister intact|Blood blister|Fluid filled blister|Hard|Soft|Soft tissue
Soft tissue injury|Bony|Moist|Dry|Clean|Clean wound|Infected|Wound swab taken|Swab taken|Nil new|No change|Same
Better|Worse|Much better|New wound|New ulcer|Old scar|Old burn|Early healing|Late healing|Fair|Poor|Good
"""
"""Clinical phrases, as on a slip beside a wound or a line of a chart."""

SIDE = ("Left", "Right", "L", "R", "left", "right", "LEFT", "RIGHT")
WHERE = ("lower", "upper", "lateral", "medial", "anterior", "posterior", "distal", "proximal", "plantar", "dorsal")
PART = (  # noqa: SIM905
    "leg|foot|hand|heel|hip|knee|arm|elbow|ankle|shoulder|thigh|calf|shin|buttock|toe|finger|thumb|cheek|ear|eye|"
    "wrist|forearm|malleolus|trochanter|palm|flank|breast|axilla|groin|chest"
).split("|")
LESION = (  # noqa: SIM905
    "ulcer|wound|burn|injury|pressure injury|skin tear|laceration|abscess|cellulitis|blister|scar|rash|swelling|"
    "infection|bruise|graft|incision"
).split("|")
PRODUCT = (  # noqa: SIM905
    "Mepilex Border|Allevyn Gentle Border|Aquacel Ag|Biatain Silicone|Foam dressing|Gauze swabs|Island dressing|"
    "Tegaderm Film|Non-adherent dressing|Silicone foam|Hydrocolloid dressing|Alginate dressing|Cotton gauze|"
    "Silver alginate|Adhesive tape|Crepe bandage|Long stretch bandage|Short stretch bandage|Paraffin gauze|Drain bag"
).split("|")
DRUG = (  # noqa: SIM905
    "Paracetamol|Ibuprofen|Amoxicillin|Cefalexin|Flucloxacillin|Metformin|Tramadol|Doxycycline|Prednisolone|"
    "Furosemide|Omeprazole|Gabapentin"
).split("|")


def lines(count: int = 2000, seed: int = 15) -> list[str]:
    """Different lines in a fixed order; the same for the same seed."""
    rng = random.Random(seed)
    fixed = [entry for text in (PRINT, PHRASES) for entry in text.replace("\n", "|").split("|") if entry]
    out = dict.fromkeys(fixed)
    out.update(dict.fromkeys(_icd(rng, (count - len(out)) // 3)))
    while len(out) < count:
        out[_made(rng)] = None
    return list(out)[:count]


def _made(rng: random.Random) -> str:
    side, part, lesion, where = (rng.choice(words) for words in (SIDE, PART, LESION, WHERE))
    size = f"{rng.randint(2, 20)} x {rng.randint(2, 20)} cm"
    drug, product = rng.choice(DRUG), rng.choice(PRODUCT)
    text = rng.choice(
        (
            f"{side} {part} {lesion}", f"{side} {where} {part}", f"{side} {where} {part} {lesion}",
            f"{lesion} {side} {part}", f"{lesion.capitalize()} - {side} {part}", f"{part.capitalize()} {lesion}",
            f"{side} {part} {size}", f"{lesion.capitalize()} {size}", f"{side} {part}, {where}",
            f"{product} {size}", f"{product} {size} sterile", f"{size} {product}",
            f"{drug} {rng.choice((5, 10, 50, 100, 250, 500))} mg", f"{drug} {rng.choice((50, 250, 500))} mg tablets",
            f"{rng.randint(0, 4)} {rng.randint(5, 9)} cm", f"{side} {part} stage {rng.randint(1, 4)}",
            f"{side} {part} day {rng.randint(1, 14)}", f"{side} {part} week {rng.randint(1, 12)}",
        )
    )  # fmt: skip
    return text.upper() if rng.random() < 0.15 else text


def _icd(rng: random.Random, count: int) -> Iterator[str]:
    try:
        import simple_icd_10_cm as icd
    except ImportError:
        return iter(())
    wanted = re.compile(r"L0|L8|L9|T2[0-5]|S[0-9][01]|I83|C4[34]|D2[23]|R2[0-3]")
    said = [icd.get_description(code) for code in icd.get_all_codes(with_dots=True) if wanted.match(code)]
    short = sorted({text.split(",")[0] for text in said if len(text.split(",")[0]) <= 60})
    return iter(rng.sample(short, min(count, len(short))))
