"""Words of the standard that may stand in a DICOM copy; this judge's own list."""

from __future__ import annotations

import re

MODALITY = frozenset(
    re.findall(
        rb"[A-Z]+",
        b"""
        AR AS BI BMD CD CP CR CS CT DD DG DM DS DX EC ECG EPS ES FA FS GM HC HD IO IVOCT IVUS KER LEN LP LS
        MA MG MR MS NM OAM OCT OP OPM OPT OPV OT PT PX RF RG SM SRF ST TG US VA VF XA XC
        """,
    )
)
"""PS3.3, C.7.3.1.1.1."""
CONVERSION = frozenset(
    re.findall(
        rb"[A-Z]+",
        b"""
        DF DI DRW DV SD SI SYN WSD
        """,
    )
)
"""PS3.3, C.8.6.1."""
BODY_PART = frozenset(
    re.findall(
        rb"[A-Z]+",
        b"""
        ABDOMEN ANKLE ANUS ARM AXILLA BACK BLADDER BREAST BUTTOCK CALF CHEEK CHEST CHIN CLAVICLE COLON
        CORNEA EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FINGER FOOT FOREARM FOREHEAD GALLBLADDER GUM
        HAND HEAD HEEL HIP ILEUM JAW JOINT KNEE LARYNX LEG LIP LUNG MAXILLA MOUTH NECK NOSE PELVIS PENIS
        PERINEUM PHARYNX RECTUM RETINA SCALP SCROTUM SHOULDER SKIN SKULL SPINE STERNUM STOMACH THIGH THUMB
        TOE TONGUE TRUNK UMBILICUS URETHRA VAGINA VULVA WHOLEBODY WRIST
        """,
    )
)
"""PS3.16, Annex L."""
