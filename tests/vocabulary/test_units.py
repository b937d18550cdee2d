"""Units as Moroccan budget documents write them."""

from __future__ import annotations

import pytest

from gbi.vocabulary import Unit, codes, read_unit, unit_in_title

WRITTEN = {
    "MAD": Unit("MAD"),
    "DH": Unit("MAD"),
    "dirhams": Unit("MAD"),
    "En dirhams": Unit("MAD"),
    "(en DH)": Unit("MAD"),
    "kMAD": Unit("MAD", 3),
    "KDH": Unit("MAD", 3),
    "milliers de DH": Unit("MAD", 3),
    "milliers de dirhams": Unit("MAD", 3),
    "MDH": Unit("MAD", 6),
    "Mdh": Unit("MAD", 6),
    "En millions de dirhams": Unit("MAD", 6),
    "MMDH": Unit("MAD", 9),
    "milliards de DH": Unit("MAD", 9),
    "%": Unit("PT"),
    "pourcentage": Unit("PT"),
    "‰": Unit("PM"),
    "nombre": Unit("NUMBER"),
    "Nombre": Unit("NUMBER"),
    "عدد": Unit("NUMBER"),
    "personnes": Unit("PS"),
    "milliers": Unit("NUMBER", 3),
    "milliers de personnes": Unit("PS", 3),
    "indice": Unit("INDEX"),
    "ratio": Unit("RATIO"),
    "m²": Unit("M2"),
    "m2": Unit("M2"),
    "homme-jour": Unit("MAN_DAY"),
    "hommes-jours": Unit("MAN_DAY"),
    "années": Unit("YR"),
    "ans": Unit("YR"),
    "pour 100 000 naissances vivantes": Unit("P100K_LB"),
    "pour 100\u202f000 naissances vivantes": Unit("P100K_LB"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_written_unit_is_read(written: str) -> None:
    assert read_unit(written) == WRITTEN[written]
    assert WRITTEN[written].measure in codes("CL_UNIT_MEASURE")
    assert str(WRITTEN[written].mult) in codes("CL_UNIT_MULT")


@pytest.mark.parametrize("written", ["", "furlong", "milliers de furlongs", "€", "12", "MDHX"])
def test_an_unknown_unit_is_none_and_not_a_guess(written: str) -> None:
    assert read_unit(written) is None


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("Budget par ministère (MDH)", Unit("MAD", 6)),
        ("Budget par ministère [MDH]", Unit("MAD", 6)),
        ("Crédits en milliers de DH.", Unit("MAD", 3)),
        ("المبالغ (بآلاف الدراهم)", Unit("MAD", 3)),
        ("الاعتمادات (بملايين الدراهم)", Unit("MAD", 6)),
        ("النفقات (بملايير الدراهم)", Unit("MAD", 9)),
        ("المبالغ (بالدرهم)", Unit("MAD")),
        ("Crédits du budget général (en milliers de DH)", Unit("MAD", 3)),
        ("Crédits ouverts en millions de dirhams", Unit("MAD", 6)),
        ("Recettes, en MMDH", Unit("MAD", 9)),
        ("Taux de chômage (en %)", Unit("PT")),
        ("Population (2014) (en milliers)", Unit("NUMBER", 3)),
        ("Population (milliers, 2014)", Unit("NUMBER", 3)),
        ("Annexe 1 : Répartition par ministère - PLF 2025", None),
        ("Personnel (1)", None),
        ("MDD (2)", None),
        ("Accès en milieu rural", None),
        ("", None),
    ],
)
def test_a_title_declares_its_unit_or_none(title: str, unit: Unit | None) -> None:
    assert unit_in_title(title) == unit
