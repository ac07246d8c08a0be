"""Fills the holes of a recording from both sides, and measures gaps so: a replay knows where riders were seen next.

A hole is every second in which nothing of a rider was heard: half an hour, or what lies between two readings of a
device that reports every ten seconds. In it a rider keeps the pace of one who rode near and was seen on that stretch,
drawn out or compressed to fit; where there is none, a pace that the gradient decides. Ranks and groups of the seconds
concerned are told again; where a rider was in a second in which a reading came stays as it was told.

Gaps are told again in every second, but in time trials. Of riders who ride together it is always the one whose reading
errs most that seems to be first, so places are thought to have been passed too early, and every gap is too long by as
much as the readings err. Over a minute and more nobody errs to the front all the time: how long after the foremost
readings a rider came is a mean of the seconds around, and what the first of all lacks then, every gap has too much.

It works on a stream: seconds wait until the future that is looked into is there.
"""

from collections.abc import Iterator

import numpy as np

from tracking.compiled import compiled
from tracking.course import Course
from tracking.groups import DEFAULT_RULES, GroupRules
from tracking.kernel.layout import view_of
from tracking.kernel.standing import put_on_road
from tracking.records import FINISHED, FRESH, LOST, PREDICTED, RIDER_STATE

INTERPOLATED = FINISHED + 1
"""Quality of a state of a rider who was lost, but was seen before and afterwards."""
SECOND_MS = 1000
AHEAD_S, BEHIND_S = 2700, 900
"""How far the future is looked into, for the end of a hole and for those who follow; and the past, for those ahead."""
MOST_ROWS = 1_500_000
"""Of all riders that wait in memory: of very large fields, less far."""
WITNESSES = 8
"""Riders nearest to the one who is not heard, whose pace is looked at."""
ALIKE = 1.35
"""A pace that must be drawn out by more than this is no pace of this rider's."""
FASTEST_MS = 25.0
"""Mean speed above which it was no ride."""
BACK_M = 20.0
"""Who was seen farther back afterwards has turned, or one of the places is wrong."""
STEADY_MS, SLOWER_MS = 12.0, 100.0
"""m/s on the flat, and by how much less for a gradient of 1, where nobody's pace is known ..."""
LEAST_MS, MOST_MS = 3.0, 20.0
"""... within these bounds."""
SHORT_S = 15
"""In a hole so short, the speed goes evenly from the one before to the one after it."""
LINE_M = 0.5
"""Who is so near to the finish has crossed it: nobody's distance goes beyond."""
SEEN_LATE_S = 60
"""Whoever leads so long after the start when the recording begins passed what lies behind at a time nobody knows."""
EVEN_S = 40
"""Gaps are a mean over so many seconds before and after, ..."""
EVEN_STEP = 2
"""... every second one of them, ..."""
TURNS_S = 2.5
"""... and over less where they begin to grow or to shrink: by so much they are off by chance."""
SETTLED_S = 5
"""So much later it is known when the road ahead of the first rider, up to the next place, was passed."""
KEPT_LAGS = 128
"""Seconds, more than are ever needed at once."""
ROW = np.dtype((np.void, RIDER_STATE.itemsize))
"""A state as bytes: numpy copies it many times as fast."""
OWN_IDS = 1 << 30
"""Identities of groups of which nobody was seen begin here."""

RIDER = np.dtype(
    [
        ("anchor", "i8"),  # frame in which the rider was last seen, -1 for never
        ("settled", "i8"),  # up to which frame a hole was looked into
        ("group_id", "i8"),  # at the last second that was told again
        ("finish_ms", "i8"),  # when the line was crossed unheard, 0 while it was not
    ],
    align=True,
)
"""One rider."""

RACE = np.dtype(
    [
        ("start_ms", "i8"),
        ("head_m", "f8"),  # the road is passed up to here ...
        ("head_ms", "i8"),  # ... at this time, 0 while unknown
        ("filled_m", "f8"),  # and up to here by riders whose place was filled in, at the farthest
        ("split_s", "f8"),
        ("join_s", "f8"),
        ("step_m", "f8"),
        ("length_m", "f8"),
        ("group_ids", "i8"),
        ("finishes", "i8"),  # riders who crossed the line unheard
        ("apart", "b1"),  # a time trial: there is no first rider on the road
        ("late_s", "f8"),  # by how much the first rider of now comes later than the foremost readings
        ("late_cell", "i8"),  # up to here that is known
    ],
    align=True,
)
"""What does not belong to one rider."""

PASSAGE = np.dtype([("time_ms", "f8"), ("filled", "b1"), ("late_s", "f8")], align=True)
"""When the foremost reading passed a place, NaN for never, whether that rider's place was filled in, and how much later
the first rider passed it."""


def filled(
    frames: Iterator[np.ndarray],
    course: Course,
    start_ms: int,
    rules: GroupRules = DEFAULT_RULES,
    apart: bool = False,
) -> Iterator[np.ndarray]:
    """RIDER_STATE (riders,) of the same seconds, one after the other, with the holes filled and the gaps measured.

    `frames`: of every second. `rules`: those by which they were told. `apart`: riders start one after the other, so
    that ranks, gaps and groups stay as they were told.
    """
    window = None
    for frame in frames:
        if window is None:
            window = _Window(course, len(frame), start_ms, rules, apart)
        window.add(frame)
        if window.is_full:
            yield window.release()
    while window is not None and window.waits:
        yield window.release()


class _Window:
    """The seconds that are kept: some that were released, then those that wait."""

    def __init__(self, course: Course, riders: int, start_ms: int, rules: GroupRules, apart: bool) -> None:
        share = min(1.0, MOST_ROWS / riders / (AHEAD_S + BEHIND_S))
        self._ahead = max(round(AHEAD_S * share), 1)
        self._even = min(EVEN_S, self._ahead // 4)
        size = self._ahead + round(BEHIND_S * share)
        self._ring = np.zeros((size, riders), RIDER_STATE)
        self._rows = self._ring.view(ROW)
        self._filled = np.zeros((size, riders), bool)
        self._riders = np.zeros(riders, RIDER)
        self._riders["anchor"] = -1
        self._passages = np.zeros(len(course.distance), PASSAGE)
        self._passages["time_ms"] = np.nan
        self._lags = np.full((riders, KEPT_LAGS), np.nan, np.float32)
        self._view = view_of(course)
        self._races = np.zeros(1, RACE)
        self._races["start_ms"], self._races["filled_m"] = start_ms, -1.0
        self._races["split_s"], self._races["join_s"] = rules.split_s, rules.join_s
        self._races["step_m"], self._races["length_m"] = course.step_m, course.length_m
        self._races["apart"], self._races["late_cell"] = apart, -1
        self._added = self._filled_up = self._measured = self._released = 0

    @property
    def waits(self) -> bool:
        return self._released < self._added

    @property
    def is_full(self) -> bool:
        return self._added - self._released >= self._ahead

    def add(self, frame: np.ndarray) -> None:
        slot = self._added % len(self._ring)
        self._rows[slot], self._filled[slot] = frame.view(ROW), False
        self._added += 1

    def release(self) -> np.ndarray:
        now, newest, race = self._released, self._added - 1, self._races[0]
        while self._filled_up <= min(now + self._even + SETTLED_S, newest):
            slot = self._filled_up % len(self._ring)
            fill(self._filled_up, newest, self._ring, self._filled, self._riders, self._view, race)
            look_ahead(self._ring[slot], self._filled[slot], self._riders, self._passages, race)
            self._filled_up += 1
        while self._measured <= now + self._even:
            slot = self._measured % len(self._ring)
            if self._measured <= newest:
                measure(self._measured, self._ring[slot], self._passages, self._lags, race)
            else:
                self._lags[:, self._measured % KEPT_LAGS] = np.nan
            self._measured += 1
        slot = now % len(self._ring)
        states, filled = self._ring[slot], self._filled[slot]
        tell_again(now, self._even, states, filled, self._riders, self._passages, self._lags, race)
        self._released += 1
        return self._rows[slot].copy().view(RIDER_STATE)


@compiled
def fill(now, newest, ring, filled, riders, view, race):
    """Fills the holes that begin in frame `now`, up to `newest` at most; `ring`, `filled` (frames, riders)."""
    states = ring[now % len(ring)]
    for i in range(len(riders)):
        if is_seen(states[i]):
            riders[i].anchor = now
            riders[i].settled = -1
        elif riders[i].anchor >= 0 and riders[i].settled < now:
            back = seen_again(i, now, newest, ring)
            riders[i].settled = back if back >= 0 else np.int64(1) << 62
            if back >= 0:
                bridge(i, now, back, riders, newest, ring, filled, view, race)


@compiled
def is_seen(state):
    """Whether a reading of this very second was believed, or the line had been crossed."""
    return state.quality == FINISHED or (state.quality == FRESH and state.time_ms - state.seen_ms < SECOND_MS)


@compiled
def seen_again(i, now, newest, ring):
    """The first frame after `now` in which a rider was seen; -1 for none."""
    for frame in range(now + 1, newest + 1):
        if is_seen(ring[frame % len(ring), i]):
            return frame
    return np.int64(-1)


@compiled
def bridge(i, now, back, riders, newest, ring, filled, view, race):
    """Writes where a rider was from frame `now` until before frame `back`, unless that could not have been ridden."""
    oldest = max(newest + 1 - len(ring), 0)
    first = max(riders[i].anchor, oldest)
    begin, end = ring[first % len(ring), i], ring[back % len(ring), i]
    from_m, to_m = begin.distance_m, end.distance_m
    until = np.float64(back)
    if end.quality == FINISHED:
        until = crosses(i, first, back, from_m, oldest, newest, ring, race)
        if np.int64(until) < back:
            riders[i].finish_ms = begin.time_ms + np.int64((until - first) * SECOND_MS)
            race.finishes += 1
    passed_s = max(until - first, 1.0)
    if begin.quality == FINISHED or to_m < from_m - BACK_M or to_m - from_m > FASTEST_MS * passed_s:
        return
    j, began, ended = witness(i, first, until, from_m, to_m, oldest, newest, ring)
    from_ms, to_ms = begin.speed_ms, end.speed_ms if end.quality != FINISHED else begin.speed_ms
    before_m = from_m
    for frame in range(first + 1, back):
        share = min((frame - first) / passed_s, 1.0)
        if j >= 0:
            place_m = place_of(j, began + share * (ended - began), ring)
        else:
            place_m = paced(from_m, to_m, share, view, race)
        speed = place_m - before_m if back - first > SHORT_S else from_ms + share * (to_ms - from_ms)
        if frame >= now:
            put(ring[frame % len(ring), i], place_m, speed, view, race)
            filled[frame % len(ring), i] = True
        before_m = place_m


@compiled
def crosses(i, first, back, from_m, oldest, newest, ring, race):
    """The frame, with a fraction, in which a rider who was seen before and behind the line crossed it.

    By the pace of the nearest one who was seen to ride there, else by the rider's own.
    """
    told = ring[back % len(ring), i]
    until = back - (told.time_ms - told.seen_ms) / SECOND_MS
    speed = np.float64(ring[first % len(ring), i].speed_ms)
    if back - first > 2:
        until = first + (race.length_m - from_m) / max(speed, LEAST_MS)
        for j in nearest_to(i, first, from_m, ring):
            if j < 0:
                break
            began = passes(j, from_m, first, oldest, newest, ring)
            ended = passes(j, race.length_m - LINE_M, max(np.int64(began), oldest), oldest, newest, ring)
            if began >= 0.0 and ended > began:
                until = first + ended - began
                break
    return min(max(until, first + LINE_M), np.float64(back))


@compiled
def put(state, place_m, speed, view, race):
    """Places a rider who was not heard."""
    put_on_road(state, min(max(place_m, 0.0), race.length_m), view, race.step_m, race.length_m)
    state.speed_ms = min(max(speed, 0.0), FASTEST_MS)
    if state.quality == LOST:
        state.quality = INTERPOLATED


@compiled
def nearest_to(i, frame, place_m, ring):
    """Riders (`WITNESSES`,) seen nearest to a place in a frame, the nearest first, without rider `i`; -1 for none."""
    states = ring[frame % len(ring)]
    nearest, off = np.full(WITNESSES, -1), np.full(WITNESSES, np.inf)
    for j in range(len(states)):
        off_m = abs(states[j].distance_m - place_m)
        if j == i or states[j].quality != FRESH or off_m >= off[WITNESSES - 1]:
            continue
        k = WITNESSES - 1
        while k > 0 and off[k - 1] > off_m:
            nearest[k], off[k] = nearest[k - 1], off[k - 1]
            k -= 1
        nearest[k], off[k] = j, off_m
    return nearest


@compiled
def witness(i, first, until, from_m, to_m, oldest, newest, ring):
    """(rider, frame, frame): who rode near and was seen over the stretch, from when to when, whose pace is most alike.

    The frames have fractions; rider -1 where there is none.
    """
    best, best_began, best_ended, least = np.int64(-1), 0.0, 0.0, np.log(ALIKE)
    to_m = min(to_m, ring[first % len(ring), i].distance_m + ring[first % len(ring), i].to_go_m - LINE_M)
    for j in nearest_to(i, first, from_m, ring):
        if j < 0 or to_m - from_m < BACK_M:
            break
        began = passes(j, from_m, first, oldest, newest, ring)
        ended = passes(j, to_m, max(np.int64(began), oldest), oldest, newest, ring) if began >= 0.0 else -1.0
        if ended <= began or not was_seen(j, np.int64(began), np.int64(ended) + 1, ring):
            continue
        drawn_out = abs(np.log((until - first) / (ended - began)))
        if drawn_out < least:
            best, best_began, best_ended, least = j, began, ended, drawn_out
    return best, best_began, best_ended


@compiled
def passes(j, place_m, about, oldest, newest, ring):
    """The frame, with a fraction, in which a rider passes a place, sought from a frame on; -1 where it is not known."""
    frame = about
    while frame > oldest and ring[frame % len(ring), j].distance_m > place_m:
        frame -= 1
    while frame < newest and ring[(frame + 1) % len(ring), j].distance_m <= place_m:
        frame += 1
    here, there = ring[frame % len(ring), j].distance_m, ring[min(frame + 1, newest) % len(ring), j].distance_m
    if not here <= place_m < there:
        return -1.0
    return frame + (place_m - here) / (there - here)


@compiled
def was_seen(j, first, last, ring):
    """Whether a rider was heard all the time, but for moments."""
    missed = 0
    for frame in range(first, last + 1):
        missed += ring[frame % len(ring), j].quality != FRESH
    return missed * 10 <= last + 1 - first


@compiled
def place_of(j, frame, ring):
    """Distance of a rider at a frame with a fraction."""
    whole = np.int64(frame)
    here, there = ring[whole % len(ring), j].distance_m, ring[(whole + 1) % len(ring), j].distance_m
    return here + (frame - whole) * (there - here)


@compiled
def paced(from_m, to_m, share, view, race):
    """Distance after a share of the time from one place to another, at a pace that the gradient decides."""
    if to_m - from_m < race.step_m:
        return from_m + share * (to_m - from_m)
    first, last = int(from_m / race.step_m), int(to_m / race.step_m)
    total = 0.0
    for cell in range(first, last + 1):
        total += cell_s(cell, from_m, to_m, view, race)
    left = share * total
    for cell in range(first, last + 1):
        takes = cell_s(cell, from_m, to_m, view, race)
        if left <= takes and takes > 0.0:
            low_m, high_m = max(cell * race.step_m, from_m), min((cell + 1) * race.step_m, to_m)
            return low_m + left / takes * (high_m - low_m)
        left -= takes
    return to_m


@compiled
def cell_s(cell, from_m, to_m, view, race):
    """Seconds that a step of the road takes, of it only what lies between two places."""
    low_m, high_m = max(cell * race.step_m, from_m), min((cell + 1) * race.step_m, to_m)
    slope = view[min(cell, len(view) - 1)].gradient
    return max(high_m - low_m, 0.0) / min(max(STEADY_MS - SLOWER_MS * slope, LEAST_MS), MOST_MS)


@compiled
def look_ahead(states, filled, riders, passages, race):
    """Who crossed the line unheard, and up to where the road is passed, in a second that is filled."""
    clock_ms = states[0].time_ms
    head = -1
    for i in range(len(states)):
        if 0 < riders[i].finish_ms <= clock_ms:
            finish(states[i], riders[i].finish_ms, race)
        if takes_part(states[i], filled[i]) and (head < 0 or leads(states[i], states[head])):
            head = i
    if head >= 0:
        note_passages(states[head], filled[head], passages, clock_ms, race)


@compiled
def measure(frame, states, passages, lags, race):
    """Notes how long after the foremost reading each rider came to where he is; NaN where that is not known."""
    clock_ms = states[0].time_ms
    for i in range(len(states)):
        lag_s = np.nan
        if clock_ms >= race.start_ms and is_racing(states[i]):
            lag_s = (clock_ms - passed_ms(states[i].distance_m, passages, race)) / SECOND_MS
        lags[i, frame % KEPT_LAGS] = lag_s


@compiled
def passed_ms(place_m, passages, race):
    """When the foremost reading passed a place; NaN where that is not known."""
    at = place_m / race.step_m
    cell = min(int(at), len(passages) - 2)
    here_ms, there_ms = passages[cell].time_ms, passages[cell + 1].time_ms
    if np.isnan(there_ms):  # the first rider has not come to the next place yet
        return here_ms
    return here_ms + (at - cell) * (there_ms - here_ms)


@compiled
def tell_again(frame, even, states, filled, riders, passages, lags, race):
    """Places, gaps and groups of a second's RIDER_STATE (riders,); `filled` (riders,): whose place was filled in."""
    head, any_filled = -1, race.finishes > 0
    for i in range(len(states)):
        if is_seen(states[i]):
            riders[i].group_id = states[i].group_id
        any_filled |= filled[i]
        if takes_part(states[i], filled[i]) and (head < 0 or leads(states[i], states[head])):
            head = i
    if head < 0 or race.apart:
        return
    order = race_order(states, filled)
    if any_filled:
        head_m = race.length_m if states[order[0]].quality == FINISHED else states[order[0]].distance_m
        for place in range(len(order)):
            states[order[place]].position = place + 1
            states[order[place]].gap_m = head_m - states[order[place]].distance_m
    if states[0].time_ms >= race.start_ms:
        measure_gaps(frame, even, order, head, states, filled, passages, lags, race)
    if any_filled:
        mark_groups(order, states, filled, riders, race)


@compiled
def finish(state, finish_ms, race):
    """The rider has crossed the line, unheard."""
    state.quality, state.seen_ms = FINISHED, finish_ms
    state.distance_m, state.to_go_m, state.speed_ms = race.length_m, 0.0, 0.0


@compiled
def takes_part(state, is_filled):
    """Whether a rider's place is known, from sight or from both sides."""
    return is_filled or state.quality == FRESH or state.quality == FINISHED


@compiled
def is_racing(state):
    return state.quality == FRESH or state.quality == PREDICTED or state.quality == INTERPOLATED


@compiled
def leads(state, other):
    """Whether a rider is ahead of another one on the road or beyond the line."""
    if state.quality == FINISHED or other.quality == FINISHED:
        return state.quality == FINISHED and (other.quality != FINISHED or state.seen_ms < other.seen_ms)
    return state.distance_m > other.distance_m


@compiled
def note_passages(head, is_filled, passages, clock_ms, race):
    """Notes when the places up to the first rider's were passed."""
    if clock_ms < race.start_ms:
        return
    if race.head_ms == 0:
        race.head_ms = race.start_ms
        if clock_ms - race.start_ms > SEEN_LATE_S * SECOND_MS:
            race.head_m, race.head_ms = head.distance_m, clock_ms
    if head.distance_m <= race.head_m:
        return
    first, last = int(race.head_m / race.step_m) + 1, int(head.distance_m / race.step_m + 1e-9)
    for cell in range(first, min(last + 1, len(passages))):
        share = (cell * race.step_m - race.head_m) / (head.distance_m - race.head_m)
        passages[cell].time_ms = race.head_ms + share * (clock_ms - race.head_ms)
        passages[cell].filled = is_filled
    race.head_m, race.head_ms = head.distance_m, clock_ms
    if is_filled:
        race.filled_m = head.distance_m


@compiled
def race_order(states, filled):
    """Riders (n,) in race order: finished, on the road, all others; as they were told before where they are equal."""
    order = np.argsort(states["position"])
    for k in range(1, len(order)):
        moving = order[k]
        j = k
        while j > 0 and goes_before(states[moving], states[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = moving
    return order


@compiled
def goes_before(state, other):
    """Whether a rider who was told behind another one is in front."""
    if state.quality == FINISHED:
        return other.quality != FINISHED or state.seen_ms < other.seen_ms
    if other.quality == FINISHED or not is_racing(state):
        return False
    return not is_racing(other) or state.distance_m > other.distance_m


@compiled
def measure_gaps(frame, even, order, head, states, filled, passages, lags, race):
    """Tells the gaps to the first rider: of who races, and of who finished where somebody crossed the line unheard."""
    gaps = np.full(len(states), np.nan)
    late_s = np.inf
    for i in range(len(states)):
        state = states[i]
        if state.quality == FINISHED and race.finishes > 0:
            state.gap_s = (state.seen_ms - states[head].seen_ms) / SECOND_MS
        if is_racing(state):
            gaps[i] = evened(lags[i], frame, even)
            if takes_part(state, filled[i]) and gaps[i] < late_s:
                late_s = gaps[i]
    note_late(states[head], late_s, passages, race)
    for i in range(len(states)):
        if is_racing(states[i]):
            cell = min(int(states[i].distance_m / race.step_m), len(passages) - 1)
            gaps[i] -= passages[cell].late_s if cell <= race.late_cell else race.late_s
    in_order(gaps, order)
    for i in order:
        if not np.isnan(gaps[i]):
            states[i].gap_s = 0.0 if i == head else max(gaps[i], 0.0)


@compiled
def evened(lags, frame, even):
    """The mean of a rider's lags (`KEPT_LAGS`,) around a frame, over as long as they lie on a line."""
    here = lags[frame % KEPT_LAGS]
    total, count = np.float64(here), 1
    for off in range(1, even + 1, EVEN_STEP):
        if off > frame:
            break
        mean = (lags[(frame - off) % KEPT_LAGS] + lags[(frame + off) % KEPT_LAGS]) / 2
        if not abs(mean - here) <= TURNS_S:
            break
        total += mean
        count += 1
    return total / count


@compiled
def note_late(head, late_s, passages, race):
    """Notes by how much the first rider came later than the foremost readings, to as far as he has come."""
    if head.quality == FINISHED:
        late_s = race.late_s
    elif late_s == np.inf:
        return
    last = len(passages) - 1 if head.quality == FINISHED else int(head.distance_m / race.step_m)
    for cell in range(race.late_cell + 1, min(last + 1, len(passages))):
        passages[cell].late_s = late_s
    race.late_s, race.late_cell = late_s, max(race.late_cell, last)


@compiled
def in_order(gaps, order):
    """Gaps (n,) of riders who are in race `order` (n,): the mean of those that would shrink towards the back."""
    sums, counts = np.zeros(len(order)), np.zeros(len(order), np.int64)
    blocks = 0
    for i in order:
        if np.isnan(gaps[i]):
            continue
        sums[blocks], counts[blocks] = gaps[i], 1
        while blocks > 0 and sums[blocks - 1] * counts[blocks] > sums[blocks] * counts[blocks - 1]:
            sums[blocks - 1] += sums[blocks]
            counts[blocks - 1] += counts[blocks]
            blocks -= 1
        blocks += 1
    block, used = 0, 0
    for i in order:
        if np.isnan(gaps[i]):
            continue
        if used == counts[block]:
            block, used = block + 1, 0
        gaps[i] = sums[block] / counts[block]
        used += 1


@compiled
def mark_groups(order, states, filled, riders, race):
    """Numbers the groups again: who was not heard joins the one in front or behind, or is one; others stay together."""
    numbers = np.zeros(len(order) + 1, np.int64)
    count = np.int64(0)
    for place in range(len(order)):
        i = order[place]
        state = states[i]
        if not is_racing(state):
            state.group = state.group_id = 0
            continue
        first, ahead = count == 0, order[max(place - 1, 0)]
        if not first and (filled[i] or filled[ahead]):
            state.gap_previous_s = state.gap_s - states[ahead].gap_s
            state.gap_previous_m = states[ahead].distance_m - state.distance_m
        if not is_placed(state, filled[i]):
            if numbers[state.group] == 0:
                count += 1
                numbers[state.group] = count
            state.group = numbers[state.group]
        else:
            behind = seen_behind(place, order, states, filled)
            if not first and (
                numbers[behind_group(behind, states)] == states[ahead].group
                or is_near(state, states[ahead], riders[i], race)
            ):
                state.group, state.group_id = states[ahead].group, states[ahead].group_id
            else:
                count += 1
                state.group = count
                if behind >= 0 and is_near(states[behind], state, riders[i], race):
                    numbers[states[behind].group] = count
                    state.group_id = states[behind].group_id
                else:
                    state.group_id = own_group(place, order, states, filled, riders, race)
        riders[i].group_id = state.group_id


@compiled
def is_placed(state, is_filled):
    """Whether a rider's group has to be found: a place coasted to for long, or none, was told before."""
    return is_filled and state.quality != FRESH


@compiled
def behind_group(behind, states):
    """The group, as it was told, of a rider; 0 for -1."""
    return states[behind].group if behind >= 0 else np.uint16(0)


@compiled
def is_near(state, ahead, rider, race):
    """Whether a rider is near enough to the one ahead to be one group; one who was in it may be farther away."""
    allowed_s = race.split_s if rider.group_id == ahead.group_id or rider.group_id == state.group_id else race.join_s
    return state.gap_s - ahead.gap_s <= allowed_s


@compiled
def seen_behind(place, order, states, filled):
    """The next rider behind a place in the order who was heard; -1 where there is none on the road."""
    for later in order[place + 1 :]:
        if not is_racing(states[later]):
            break
        if not is_placed(states[later], filled[later]):
            return later
    return np.int64(-1)


@compiled
def own_group(place, order, states, filled, riders, race):
    """The identity of a group of which nobody is seen: that which its first rider was in, if nobody else is."""
    rider = riders[order[place]]
    for k in range(len(order)):
        other = states[order[k]]
        told = k < place or not is_placed(other, filled[order[k]])
        if k != place and is_racing(other) and told and other.group_id == rider.group_id:
            race.group_ids += 1
            return OWN_IDS + race.group_ids
    return rider.group_id
