import subprocess
import sys
import threading
import time

import pytest

from app.database.turn import Turn, TurnTimeout

HOLD = """
import sys, time
from pathlib import Path
from app.database.turn import Turn
with Turn(Path(sys.argv[1])).taken(1):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_threads_take_turns(tmp_path):
    turn, order = Turn(tmp_path / "turn"), []

    def work(name):
        with turn.taken(5):
            order.append(name)
            time.sleep(0.01)
            order.append(name)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(order[i] == order[i + 1] for i in range(0, len(order), 2))


def test_a_thread_does_not_wait_longer_than_it_would(tmp_path):
    turn = Turn(tmp_path / "turn")
    with turn.taken(1):
        failed = []

        def wait():
            try:
                with turn.taken(0.05):
                    pass
            except TurnTimeout:
                failed.append(True)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    assert failed == [True]


def test_another_process_waits_and_a_killed_one_frees_the_turn(tmp_path):
    file = tmp_path / "turn"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    turn = Turn(file)
    with pytest.raises(TurnTimeout), turn.taken(0.05):
        pass
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with turn.taken(1):
        pass
