"""Start lists, classifications and results that people write: read, or refused with all that is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from tracking.briefing.history import Result, read_classification, read_results
from tracking.briefing.riders import start_list
from tracking.briefing.roster import Entrant, bare_roster, read_roster
from tracking.briefing.tables import MANY
from tracking.service import Mistakes


def written(folder: Path, text: str, name: str = "table.csv") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def sentences(file: Path, mistakes: Mistakes) -> list[str]:
    """Without the file, which each of them names."""
    assert all(sentence.startswith(f"{file}: ") for sentence in mistakes.sentences)
    return [sentence.removeprefix(f"{file}: ") for sentence in mistakes.sentences]


def test_a_start_list_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    """Guards: a rider under another's number, and a device that is taken for its rider's number."""
    file = written(
        tmp_path,
        "\ufeffnumber,name,team,nationality,device\n12,,Team B,,\n1,One,Team A,FRA,207\n\n2,,Team A,GBR,\n",
    )
    roster = read_roster(file)
    assert roster.entrants == (
        Entrant(1, 207, "One", "Team A", "FRA"),
        Entrant(2, 2, None, "Team A", "GBR"),
        Entrant(12, 12, None, "Team B", None),
    )
    assert roster.numbers.tolist() == [1, 2, 12]
    assert roster.devices.tolist() == [207, 2, 12]
    assert roster.teams == ("Team A", "Team B")


def test_numbers_alone_are_a_start_list(tmp_path: Path) -> None:
    """Guards: a race that cannot be followed because nobody has written the names."""
    assert read_roster(written(tmp_path, "number\n7\n")).entrants == (Entrant(7, 7),)
    assert bare_roster().numbers.tolist() == bare_roster().devices.tolist() == start_list().tolist()
    assert bare_roster().teams == ()


def test_a_start_list_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    """Guards: one mistake a run, on the morning of the race."""
    file = written(
        tmp_path, "number,nationality,device\n1,France,5\n1,,x\n,GBR,\n,,\n70000,GBR,5\n2.5,,\n", "riders.csv"
    )
    with pytest.raises(Mistakes) as refused:
        read_roster(file)
    assert sentences(file, refused.value) == [
        "line 4: number: is empty; fill it in.",
        "line 2: nationality: 'France' is not three capital letters; correct it.",
        "line 3: device: 'x' is no number from 1 to 65535; correct it.",
        "line 6: number: '70000' is no number from 1 to 65535; correct it.",
        "line 7: number: 2.5 is not a whole number; correct it.",
        "line 3: number: 1 is in line 2 too; keep one of them.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number,bib\n1,1\n", ["bib: is no column of this table; use number, name, team, nationality, device."]),
        ("name\nOne\n", ["number: is missing; add this column."]),
        ("", ["the file: has no rows; add them."]),
        ("number,name\n1\n", ["the file: is no CSV (line 2 has 1 values for 2 columns); save it as UTF-8 again."]),
    ],
)
def test_a_table_that_is_another_one_is_refused(tmp_path: Path, text: str, expected: list[str]) -> None:
    """Guards: columns that are silently left out because they are called otherwise."""
    file = written(tmp_path, text)
    with pytest.raises(Mistakes) as refused:
        read_roster(file)
    assert sentences(file, refused.value) == expected


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'number\n"1\n', b"number\n" + b"x\n" * 2000])
def test_what_is_no_table_is_refused_in_few_words(tmp_path: Path, content: bytes) -> None:
    """Guards: a traceback, or ten thousand sentences, for a picture that was saved as CSV."""
    file = tmp_path / "riders.csv"
    file.write_bytes(content)
    with pytest.raises(Mistakes) as refused:
        read_roster(file)
    assert 0 < len(refused.value.sentences) <= MANY + 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Guards: a service that starts without the names that it was told to show."""
    with pytest.raises(Mistakes, match="cannot be read"):
        read_roster(tmp_path / "missing.csv")


def test_a_classification_ranks_by_seconds_and_its_first_wears_yellow(tmp_path: Path) -> None:
    """Guards: a leader by the order of the file."""
    before = read_classification(written(tmp_path, "rider,behind_s\n45,12\n1,0\n9,12\n"))
    assert before.riders.tolist() == [1, 45, 9]
    assert before.behind_s.tolist() == [0, 12, 12]
    assert before.leader == 1
    as_json = json.dumps([{"rider": 45, "behind_s": 12}, {"rider": 1, "behind_s": 0}, {"rider": 9, "behind_s": 12.0}])
    again = read_classification(written(tmp_path, as_json, "gc.json"))
    np.testing.assert_array_equal(again.riders, before.riders)


def test_a_classification_without_a_leader_is_refused(tmp_path: Path) -> None:
    """Guards: total times taken for gaps."""
    file = written(tmp_path, "rider,behind_s\n1,7200\n2,7260\n1,-4\n")
    with pytest.raises(Mistakes) as refused:
        read_classification(file)
    assert sentences(file, refused.value) == [
        "line 4: behind_s: '-4' is no number from 0 to 172800; correct it.",
        "line 4: rider: 1 is in line 2 too; keep one of them.",
        "behind_s: the first is 7200 s behind; give seconds behind the leader, who has 0.",
    ]


def test_results_are_read_and_doubles_refused(tmp_path: Path) -> None:
    """Guards: a rider who counts twice in what is foretold."""
    good = written(tmp_path, "year,stage,rider,rank,behind_s\n2016,9,1,1,0\n2016,9,2,2,\n")
    assert read_results(good) == (Result(2016, 9, 1, 1, 0.0), Result(2016, 9, 2, 2, None))
    twice = written(tmp_path, "year,stage,rider,rank\n2016,9,1,1\n2016,9,1,2\n")
    with pytest.raises(Mistakes, match="2016 stage 9: rider 1 is in it twice; keep one of the rows"):
        read_results(twice)
