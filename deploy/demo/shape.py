"""The shape of the sample: how many of what, and where the numbers come from.

Published descriptions of the programme (2016–2021) give: 66 forums at the end of 2017, 42 founded by a
programme and 24 by local initiative; 19 of them in Ninewa; many in Anbar that existed on paper and did not
meet (so established and activated are different dates); 57 community police officers in Ninewa, units of 6,
10 and 14. How the other 47 forums lie over the country, how many cases there are and of what category was not
published: those figures are ours, chosen to be small enough to recognise a single person in a table, which is
what the rules about small numbers are for.
"""

from contracts.case.words import Category, Channel

FORUMS = {
    "ninewa": 19,
    "anbar": 8,
    "baghdad": 6,
    "salah-al-din": 5,
    "diyala": 4,
    "kirkuk": 4,
    "basra": 3,
    "duhok": 3,
    "erbil": 3,
    "babil": 2,
    "sulaymaniyah": 2,
    "dhi-qar": 1,
    "diwaniyah": 1,
    "halabja": 1,
    "karbala": 1,
    "maysan": 1,
    "najaf": 1,
    "wasit": 1,
    "muthanna": 0,
}
BY_PROGRAMME = 42
BY_LOCAL_INITIATIVE = 24
ON_PAPER = {"anbar": 0.6}
"""The share of a governorate's forums that were established and never activated; elsewhere
`ON_PAPER_ELSEWHERE`."""
ON_PAPER_ELSEWHERE = 0.1

CASES = {"ninewa": 48, "baghdad": 36, "basra": 20, "erbil": 18, "duhok": 18, "anbar": 16, "kirkuk": 16}
CASES_ELSEWHERE = 8

LANGUAGE = {"duhok": "ckb", "erbil": "ckb", "halabja": "ckb", "sulaymaniyah": "ckb"}

CATEGORIES = {
    Category.FAMILY_DISPUTE: 18,
    Category.NEIGHBOUR_DISPUTE: 12,
    Category.PROPERTY_DISPUTE: 10,
    Category.ELECTRONIC_BLACKMAIL: 10,
    Category.HARASSMENT: 8,
    Category.DOMESTIC_ABUSE: 8,
    Category.THEFT_FRAUD: 7,
    Category.TRIBAL_DISPUTE: 6,
    Category.DISPLACEMENT_NEED: 5,
    Category.DRUGS: 4,
    Category.REPRISAL_STIGMA: 3,
    Category.RUNAWAY_MISSING: 3,
    Category.MUNICIPAL_SERVICE: 3,
    Category.CHILD_PROTECTION: 1,
    Category.SELF_HARM_RISK: 1,
    Category.OTHER: 1,
}
CHANNELS = {
    Channel.WALK_IN: 40,
    Channel.PHONE: 20,
    Channel.FORUM: 15,
    Channel.VISIT: 10,
    Channel.HOTLINE_497: 8,
    Channel.REFERRAL_IN: 4,
    Channel.ONLINE: 3,
}
