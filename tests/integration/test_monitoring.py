"""Alarms and dashboard of template.yaml speak of metrics that exist, with their dimensions."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from storyhook import logs
from storyhook.domain.outcome import FailureKind
from storyhook.domain.storyboard import BoardStatus
from tests.fixtures import template
from tests.fixtures.template import resource
from tests.fixtures.world import World, done
from tests.needs.stories import STORIES
from tests.needs.telling import tell

# What AWS itself counts, of what is used here: name -> its dimension.
OF_AWS = {
    "AWS/SQS": (
        "QueueName",
        {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    ),
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles"}),
    "AWS/ApiGateway": ("ApiId", {"Count", "4xx", "5xx"}),
}
# An account has ten alarms for nothing; the eleventh is $0.10 a month.
MOST_ALARMS, FREE_DASHBOARD_METRICS = 11, 50


@dataclass(frozen=True)
class Metric:
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> tuple[str, tuple[str, ...]]:
        return self.name, tuple(name for name, _ in self.dimensions)


def alarms() -> dict[str, dict[str, Any]]:
    return {
        name: body["Properties"]
        for name, body in template.template()["Resources"].items()
        if body["Type"] == "AWS::CloudWatch::Alarm"
    }


def of_alarms() -> set[Metric]:
    return {
        Metric(
            alarm["Namespace"],
            _plain(alarm["MetricName"]),
            tuple((d["Name"], _plain(d["Value"])) for d in alarm.get("Dimensions", [])),
        )
        for alarm in alarms().values()
    }


def _plain(value: Any) -> str:
    """`{"!Ref": "Api"}` and `{"!GetAtt": "Queue.QueueName"}` as they stand in a `!Sub`."""
    if isinstance(value, str):
        return value
    [(tag, text)] = value.items()
    return str(text) if tag == "!Sub" else f"${{{text}}}"


def widgets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(resource("Dashboard")["DashboardBody"]["!Sub"])[
        "widgets"
    ]
    return found


def of_dashboard() -> set[Metric]:
    return {metric for widget in widgets() for metric in _of_widget(widget["properties"])}


def _of_widget(properties: dict[str, Any]) -> Iterator[Metric]:
    for entry in properties["metrics"]:
        words = [word for word in entry if isinstance(word, str)]
        if words:
            namespace, name, *dimensions = words
            yield Metric(
                namespace, name, tuple(zip(dimensions[::2], dimensions[1::2], strict=True))
            )
            continue
        [search] = re.findall(r"SEARCH\('\{(.+?)\} MetricName=\"(\w+)\"", entry[0]["expression"])
        namespace, *names = search[0].split(",")
        yield Metric(namespace, search[1], tuple((each, "") for each in names))


@pytest.fixture(scope="module")
def emitted() -> set[Metric]:
    """What the functions count, in all stories."""
    return {metric for story in STORIES for line in tell(story).lines for metric in _counted(line)}


def _counted(line: dict[str, Any]) -> Iterator[Metric]:
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        for metric in directive["Metrics"]:
            assert isinstance(line[metric["Name"]], int | float)
            assert metric["Unit"] == logs.METRICS[metric["Name"]]
            for names in directive["Dimensions"]:
                dimensions = tuple((name, line[name]) for name in names)
                yield Metric(directive["Namespace"], metric["Name"], dimensions)


def test_what_is_looked_at_is_counted_and_the_other_way_round(emitted: set[Metric]) -> None:
    of_filter = resource("ErrorLines")["MetricTransformations"][0]
    filtered = Metric(of_filter["MetricNamespace"], _plain(of_filter["MetricName"]))
    looked_at = {m for m in of_alarms() | of_dashboard() if m.namespace == logs.NAMESPACE}
    assert filtered in looked_at
    kinds = {metric.kind for metric in emitted}
    assert {metric.kind for metric in looked_at - {filtered}} == kinds
    assert {name for name, _ in kinds} == logs.METRICS.keys()


def test_dimensions_have_values_that_are_counted(emitted: set[Metric]) -> None:
    possible = {
        "Stage": {"test", "${Stage}", ""},
        "Status": {status.value for status in BoardStatus},
        "Kind": {"", *(kind.value for kind in FailureKind)},
    }
    for metric in emitted | of_alarms() | of_dashboard():
        for name, value in metric.dimensions if metric.namespace == logs.NAMESPACE else ():
            assert value in possible[name], metric


def test_what_aws_counts_is_of_resources_of_this_stack() -> None:
    resources = template.template()["Resources"]
    for metric in of_alarms() | of_dashboard():
        if metric.namespace != logs.NAMESPACE:
            name, names = OF_AWS[metric.namespace]
            assert metric.name in names
            [(dimension, value)] = metric.dimensions
            assert dimension == name
            assert value.removeprefix("${").removesuffix("}").partition(".")[0] in resources


def test_what_ends_is_counted_once_however_often_it_is_told(world: World) -> None:
    board = world.board()
    for row in world.rows_of(board):
        world.submit.from_queue(row.id, None)
    for row in world.rows_of(board):
        assert row.handle is not None
        for _ in range(3):
            world.webhook(row, done("replicate", row.handle.provider_id))
    for _ in range(2):
        world.assemble(board.id)
        world.sweep(minutes=30)
    ids = [row.id for row in world.rows_of(board)]
    assert [thing.id for thing in world.ended] == [*ids, board.id]
    assert all(thing.status == "succeeded" for thing in world.ended)


def test_rows_are_late_five_minutes_after_they_were_due(world: World) -> None:
    row = world.ask()
    due_at = world.row(row).due_at
    assert due_at is not None
    world.sweep(seconds=(due_at - world.clock()).total_seconds() + 300)
    assert world.late == [0]
    due_at = world.row(row).due_at
    assert due_at is not None
    world.sweep(seconds=(due_at - world.clock()).total_seconds() + 301)
    assert world.late == [0, 1]


def test_every_alarm_tells_and_can_be_left_out() -> None:
    told = alarms()["SubmissionsDeadLettersAlarm"]["AlarmActions"]
    assert len(told) == 2
    for name, alarm in alarms().items():
        assert alarm["AlarmActions"] == told, name
        assert template.template()["Resources"][name]["Condition"] == "IsMonitored"


def test_alarms_and_dashboard_cost_nothing_in_an_account_without_others() -> None:
    assert len(alarms()) <= MOST_ALARMS
    fixed = {metric for metric in of_dashboard() if "" not in dict(metric.dimensions).values()}
    assert len(fixed) + len(FailureKind) <= FREE_DASHBOARD_METRICS


def test_what_a_function_logs_as_an_error_is_one_for_the_filter() -> None:
    terms = re.findall(r'\?"((?:[^"\\]|\\.)+)"', resource("ErrorLines")["FilterPattern"])
    assert len(terms) == 4
    line = json.dumps({"level": "ERROR", "location": "x"}, separators=(",", ":"))
    assert any(term.replace("\\", "") in line for term in terms)


def test_the_access_log_names_no_path_query_or_header() -> None:
    """A webhook's path holds its token."""
    written = json.loads(resource("ApiStage")["AccessLogSettings"]["Format"])
    assert set(written.values()) == {
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.routeKey",
        "$context.status",
        "$context.responseLatency",
        "$context.authorizer.key_id",
        "$context.error.message",
    }


def test_what_anybody_may_send_is_throttled_by_itself() -> None:
    resources = template.template()["Resources"]
    public = {
        body["Properties"]["RouteKey"]
        for body in resources.values()
        if body["Type"] == "AWS::ApiGatewayV2::Route"
        and body["Properties"]["AuthorizationType"] == "NONE"
    }
    settings = resource("ApiStage")["RouteSettings"]
    assert settings.keys() == public, "each public route has its RouteSettings, and a DependsOn"
    usual = resource("ApiStage")["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert all(each["ThrottlingRateLimit"] < usual for each in settings.values())
