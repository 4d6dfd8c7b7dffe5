"""An import says before anything happens who gets which photos, and what is left out for which reason."""

from services.gateway.import_plan import KnownPerson, Plan, StagedFile, plan_import

ADA = KnownPerson("ada", "Ada Lovelace")


def plan(*paths: str, known: tuple[KnownPerson, ...] = (ADA,), **hashes: KnownPerson) -> Plan:
    """Plan files; a path may end in ``=HASH`` or ``!PROBLEM``."""
    files = []
    for number, text in enumerate(paths):
        rest, _, problem = text.partition("!")
        path, _, sha256 = rest.partition("=")
        files.append(StagedFile(number, path, sha256 or None, problem or None))
    return plan_import(files, known, hashes)


def who(found: Plan) -> list[tuple[str, str | None, int, int]]:
    return [(one.name, one.person_id, len(one.files), one.left_out) for one in found.people]


def words(found: Plan) -> list[str]:
    return [one.words for one in found.left_out]


def test_people_are_found_by_name_or_new() -> None:
    found = plan("ada_LOVELACE-happy-1.jpg", "Bob_Ray-sad-1.jpg", "Bob_Ray-sad-2.jpg")
    assert who(found) == [("Ada Lovelace", "ada", 1, 0), ("Bob Ray", None, 2, 0)]
    assert found.people[1].files[0].emotion == "sad"
    assert not found.left_out


def test_no_files_are_a_plan_too() -> None:
    assert plan() == Plan([], [])


def test_unreadable_and_nameless_files_are_left_out_with_their_reasons() -> None:
    found = plan("Bob/1.jpg!the file is damaged", "holiday.jpg", f"{'x' * 300}/1.jpg")
    assert who(found) == [("Bob", None, 0, 1)]
    assert words(found) == [
        "the file is damaged",
        "the name says nobody: expected First_Last-emotion-N.jpg, or a folder named after the person",
        "the person's name is longer than 200 characters",
    ]


def test_namesakes_are_not_guessed_between() -> None:
    found = plan("Ada Lovelace/1.jpg", known=(ADA, KnownPerson("other", "Ada Lovelace")))
    assert not found.people
    assert words(found) == ["2 people are called Ada Lovelace: add the photos on a person's page"]


def test_file_that_is_a_photo_already_is_left_out() -> None:
    bob = KnownPerson("bob", "Bob")
    found = plan("Ada Lovelace/1.jpg=aa", "Ada Lovelace/2.jpg=bb", known=(ADA, bob), aa=ADA, bb=bob)
    assert words(found) == ["already there", "already a photo of Bob"]


def test_same_file_twice_counts_once() -> None:
    found = plan("Bob/1.jpg=aa", "Bob/2.jpg=aa", "Can/1.jpg=aa")
    assert who(found) == [("Bob", None, 1, 1), ("Can", None, 0, 1)]
    assert words(found) == ["the same file as Bob/1.jpg"] * 2
