"""A directive goes down a real link and its acknowledgement comes up: two nodes and their engines."""

from contracts.roles import Role
from tests.kit import wait
from tests.kit.nodes import Country
from tests.services.notify.office import Office

AUTHOR = ("author", Role.DIRECTIVE_AUTHOR)
DIRECTOR = ("director", Role.PROVINCIAL_DIRECTOR)


def test_a_directive_is_read_and_acknowledged_where_it_went_and_the_directorate_knows(country: Country) -> None:
    baghdad = country.add("directorate-baghdad")
    erbil = country.add("directorate-erbil")  # never started: it is not needed for this
    duhok = country.add("duhok", links=[baghdad, erbil])  # at home in Erbil: Baghdad sees its statistics only
    for node in (baghdad, duhok):
        node.migrate()
    for node in (baghdad, duhok):
        node.start("notify", "engine")
    upper, lower = Office(baghdad), Office(duhok)
    lower.know("director", Role.PROVINCIAL_DIRECTOR)
    issued = upper.call(
        "issue_directive", *AUTHOR, title={"ar": "عنوان"}, text={"ar": "نص التوجيه"}, governorates=["duhok"]
    )
    (told,) = wait.until(lambda: lower.inbox(*DIRECTOR), seconds=60, what="the director is told")
    assert (told["rule"], told["subject"]) == ("directive_issued", issued["id"])
    (read,) = lower.call("list_directives", *DIRECTOR, acknowledged=False)["items"]
    assert (read["origin"], read["text"]) == ("directorate-baghdad", {"ar": "نص التوجيه"})
    lower.call("acknowledge_directive", *DIRECTOR, directive_id=issued["id"], role="provincial_director")

    def known() -> list[dict[str, str]]:
        (directive,) = upper.call("list_directives", *AUTHOR)["items"]
        return list(directive["acknowledgements"])

    (given,) = wait.until(known, seconds=60, what="the directorate knows of the acknowledgement")
    assert (given["node"], given["role"]) == ("duhok", "provincial_director")
