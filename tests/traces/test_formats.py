from __future__ import annotations

from pathlib import Path

import pytest

from airis_mon.traces import Operation, Totals, TraceError, read, survey

DATA = Path(__file__).parents[3] / "shared" / "data"
AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def trace(folder: Path, text: str) -> Path:
    path = folder / "trace"
    path.write_bytes(text.encode())
    return path


def test_azure_csv_gives_seconds_and_tokens(tmp_path: Path) -> None:
    path = trace(
        tmp_path, AZURE + "2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109"
    )
    assert list(read(path)) == [
        Operation(1700158546.68059, 374, 44),
        Operation(1700158550.995169, 396, 109),
    ]


def test_azure_csv_accepts_the_offset_of_the_later_files(tmp_path: Path) -> None:
    path = trace(tmp_path, "\ufeff" + AZURE + "2024-05-10 00:00:00.009930+00:00,2162,5\n")
    assert list(read(path)) == [Operation(1715299200.00993, 2162, 5)]


def test_mooncake_jsonl_gives_seconds_and_tokens(tmp_path: Path) -> None:
    path = trace(
        tmp_path,
        '{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}\n'
        "\n"
        '{"timestamp": 3052, "input_length": 7322, "output_length": 490, "hash_ids": []}\n',
    )
    assert list(read(path)) == [Operation(0.0, 6758, 500), Operation(3.052, 7322, 490)]


def test_survey_counts_what_read_yields(tmp_path: Path) -> None:
    rows = "".join(f"2023-11-16 18:{i // 60:02}:{i % 60:02}.0,{i},2\n" for i in range(100))
    whole = survey(trace(tmp_path, AZURE + rows))
    assert whole.totals == Totals(requests=100, input_tokens=4950, output_tokens=200)
    assert whole.seconds == 99.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: the file is empty; expected the header `TIMESTAMP,"),
        ("time,tokens\n1,2\n", "1: `time,tokens` begins no trace that is known; expected the header"),
        (AZURE, "1: there is no request below the header; expected one"),
        (AZURE + "2023-11-16 18:15:46.6,1\n", "2: there are 2 cells; expected a line such as `2023"),
        (AZURE + "yesterday\n", "2: there is 1 cell; expected a line such as `2023"),
        (AZURE + "yesterday,1,2\n", "2: TIMESTAMP is `yesterday`; expected a line such as `2023"),
        (
            AZURE + "2023-11-16 18:15:46.6,1,-2\n",
            "2: GeneratedTokens is `-2`; expected a whole number from 0",
        ),
        (AZURE + "2023-11-16 18:15:46.6,1.5,2\n", "2: ContextTokens is `1.5`; expected a whole number"),
        (AZURE + "2023-11-16 18:15:46.6,²,2\n", "2: ContextTokens is `²`; expected a whole number"),
        (AZURE + "2023-11-16 18:15:46.6,1000000001,2\n", "2: ContextTokens is `1000000001`; expected"),
        (
            AZURE + "2023-11-16 18:15:46.6,1,2\n\n2023-11-16 18:15:46.5,1,2\n",
            "4: the request arrived before the one above it; expected lines sorted by time",
        ),
        ("{not json\n", "1: `{not json` is no JSON; expected a line such as `{"),
        ('{"timestamp": 1}\n', "1: `input_length` is missing; expected a line such as"),
        ('{"timestamp": 1, "input_length": 1, "output_length": 1}\n[1]\n', "2: the line is no JSON object;"),
        ('{"timestamp": "1", "input_length": 1, "output_length": 1}', "1: `timestamp` is 1; expected milli"),
        (
            '{"timestamp": NaN, "input_length": 1, "output_length": 1}',
            "1: `timestamp` is nan; expected milli",
        ),
        (
            '{"timestamp": 1' + "0" * 400 + ', "input_length": 1, "output_length": 1}',
            "1: `timestamp` is 1000",
        ),
        ('{"timestamp": 1, "input_length": true, "output_length": 1}', "1: `input_length` is True; expected"),
        ('{"timestamp": 1, "input_length": 1, "output_length": 1e3}', "1: `output_length` is 1000.0; expec"),
        (AZURE + "x" * (1 << 21), "2: the line is longer than 1048576 characters; expected one request per"),
    ],
)
def test_a_line_that_is_no_request_is_located(tmp_path: Path, text: str, message: str) -> None:
    path = trace(tmp_path, text)
    with pytest.raises(TraceError) as raised:
        list(read(path))
    assert str(raised.value).startswith(f"{path}:{message}")


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded traces are not on this machine")
@pytest.mark.parametrize(
    ("name", "totals", "seconds"),
    [
        ("AzureLLM2023/AzureLLMInferenceTrace_conv.csv", Totals(19_366, 22_361_870, 4_088_665), 3501.721937),
        ("AzureLLM2023/AzureLLMInferenceTrace_code.csv", Totals(8_819, 18_059_974, 245_896), 3435.948056),
        ("Mooncake/conversation_trace.jsonl", Totals(12_031, 144_793_823, 4_122_048), 3536.999),
    ],
)
def test_published_traces_are_read_whole(name: str, totals: Totals, seconds: float) -> None:
    whole = survey(DATA / name)
    assert whole.totals == totals
    assert whole.seconds == pytest.approx(seconds, abs=1e-3)
