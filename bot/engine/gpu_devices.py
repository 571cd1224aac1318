"""The graphics cards that the installed library can use, as it sees them itself: CUDA, ROCm, Vulkan or Metal."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import llama_cpp
from llama_cpp._ggml import libggml

_GPU = 1
"""`GGML_BACKEND_DEVICE_TYPE_GPU` in ggml-backend.h; 0 is the CPU, 2 a GPU without memory of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuDevice:
    """One card."""

    description: str
    free: int
    """Bytes of its memory that nothing uses now."""


def gpu_devices() -> tuple[GpuDevice, ...]:
    """Every card with memory of its own, in the library's order; none where it was built for the CPU only."""
    return tuple(device for kind, device in all_devices() if kind == _GPU)


def all_devices() -> tuple[tuple[int, GpuDevice], ...]:
    """Every device, the CPU too, with its `enum ggml_backend_dev_type`."""
    llama_cpp.llama_backend_init()
    count = _function("ggml_backend_dev_count", ctypes.c_size_t)
    get = _function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    kind = _function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
    description = _function("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)
    memory = _function("ggml_backend_dev_memory", None, ctypes.c_void_p, *[ctypes.POINTER(ctypes.c_size_t)] * 2)
    devices = []
    for index in range(count()):
        device = get(index)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        memory(device, ctypes.byref(free), ctypes.byref(total))
        name = description(device).decode("utf-8", "replace")
        devices.append((int(kind(device)), GpuDevice(description=name, free=free.value)))
    return tuple(devices)


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function of libggml. Looked up by item, it is nobody else's object, so its prototype can be set."""
    function: Any = libggml[name]
    function.restype, function.argtypes = result, arguments
    return cast("Callable[..., Any]", function)
