"""The topology of a small country: two governorates, and both directorates, which hold a replica of each."""

TOPOLOGY = """
[defaults]
home = "operational"
elsewhere = "statistical"
down = "operational"

[directorates.directorate-baghdad]
iso = "XB"
names = { ar = "بغداد", ckb = "بەغداد", en = "Baghdad" }

[directorates.directorate-erbil]
iso = "XE"
names = { ar = "أربيل", ckb = "هەولێر", en = "Erbil" }

[governorates.ninewa]
iso = "NI"
home = "directorate-baghdad"
names = { ar = "نينوى", ckb = "نەینەوا", en = "Ninewa" }

[governorates.duhok]
iso = "DA"
home = "directorate-erbil"
names = { ar = "دهوك", ckb = "دهۆک", en = "Duhok" }
"""
GOVERNORATES = ("ninewa", "duhok")
BAGHDAD, ERBIL = "directorate-baghdad", "directorate-erbil"
DIRECTORATES = (BAGHDAD, ERBIL)
LINKS = tuple((origin, destination) for origin in GOVERNORATES for destination in DIRECTORATES)
