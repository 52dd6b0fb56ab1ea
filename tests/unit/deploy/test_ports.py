import subprocess
import sys

from deploy.ports import free_port

GIVES_AND_WAITS = "from deploy.ports import free_port; print(*[free_port() for _ in range(60)], flush=True); input()"


def test_a_process_is_never_given_the_same_port_twice() -> None:
    ports = [free_port() for _ in range(120)]
    assert len(set(ports)) == len(ports)
    assert all(20000 < port < 32768 for port in ports)


def test_two_processes_are_never_given_the_same_port_while_both_live() -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", GIVES_AND_WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    given = []
    for other in others:
        assert other.stdout is not None
        given.append({int(word) for word in other.stdout.readline().split()})
    for other in others:
        other.communicate(b"\n")
    assert [len(ports) for ports in given] == [60, 60, 60]
    assert len(set.union(*given)) == 180
