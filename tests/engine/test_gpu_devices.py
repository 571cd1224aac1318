"""The library's own list of devices."""

import llama_cpp

from bot.engine.gpu_devices import all_devices, gpu_devices


def test_the_cpu_is_a_device_with_memory() -> None:
    """The list has the CPU, with a description and free memory, so the calls into the library are right."""
    cpu = next(device for kind, device in all_devices() if kind == 0)
    assert cpu.description
    assert cpu.free > 2**20


def test_a_library_for_the_cpu_sees_no_card() -> None:
    """Cards are listed only where the library can use one."""
    assert llama_cpp.llama_supports_gpu_offload() or gpu_devices() == ()
