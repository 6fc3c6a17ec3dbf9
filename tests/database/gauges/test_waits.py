"""Waits for a turn: counted when there was one, by threads and by processes."""

import threading

import pytest

from app.database.gauges.waits import Waits, added
from app.database.turn import Turn, TurnTimeout


def take(turn, seconds):
    with turn.taken(seconds):
        pass


def test_a_turn_that_is_free_is_no_wait(tmp_path):
    turn = Turn(tmp_path / "turn")
    for _ in range(5):
        take(turn, 1)
    assert turn.waits.figures() == Waits()


@pytest.mark.parametrize("same_process", [True, False], ids=["a thread", "another process's lock"])
def test_a_wait_is_counted_with_its_time(tmp_path, same_process):
    holder = Turn(tmp_path / "turn")
    # A second Turn opens the file anew, so it meets the lock as another process would.
    turn = holder if same_process else Turn(tmp_path / "turn")
    waiter = threading.Thread(target=take, args=(turn, 5))
    with holder.taken(1):
        waiter.start()
        waiter.join(0.05)
        assert waiter.is_alive()
    waiter.join()
    waits = turn.waits.figures()
    assert (waits.count, waits.failed) == (1, 0)
    assert 30 < waits.total_ms == waits.longest_ms < 5000


@pytest.mark.parametrize("same_process", [True, False], ids=["a thread", "another process's lock"])
def test_a_wait_in_vain_is_counted_as_failed(tmp_path, same_process):
    holder = Turn(tmp_path / "turn")
    turn = holder if same_process else Turn(tmp_path / "turn")
    with holder.taken(1):
        with pytest.raises(TurnTimeout):
            take(turn, 0.02)
    waits = turn.waits.figures()
    assert (waits.count, waits.failed) == (1, 1)
    take(turn, 1)
    assert turn.waits.figures().count == 1


def test_what_the_body_raises_frees_the_turn(tmp_path):
    turn = Turn(tmp_path / "turn")
    with pytest.raises(ZeroDivisionError):
        with turn.taken(1):
            raise ZeroDivisionError
    take(turn, 0)
    assert turn.waits.figures() == Waits()


def test_waits_of_several_are_added():
    assert added([]) == Waits()
    assert added([Waits(2, 1, 30.0, 20.0), Waits(1, 0, 5.0, 5.0)]) == Waits(3, 1, 35.0, 20.0)
