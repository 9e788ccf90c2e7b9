// Replaces every global operator new by one that counts, and every delete to match: a sanitizer
// brings its own of each form and refuses a mixture.
#include "tests/support/allocations.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <new>

#include <dnnl.h>

namespace {

thread_local std::size_t count = 0;
thread_local std::size_t onednn_count = 0;

void* allocate(std::size_t bytes) noexcept {
    ++count;
    return std::malloc(bytes == 0 ? 1 : bytes);
}

void* allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
    ++count;
    const auto align = static_cast<std::size_t>(alignment);
    // aligned_alloc wants a multiple of the alignment.
    return std::aligned_alloc(align, (bytes + align - 1) / align * align);
}

void* checked(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

namespace dp::tests {

std::size_t allocation_count() noexcept { return count; }
std::size_t onednn_allocation_count() noexcept { return onednn_count; }

}  // namespace dp::tests

/// Stands before the library's function of this name, calls it and moves what it allocated to its
/// own count.
extern "C" dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive,
                                                dnnl_stream_t stream, int arguments,
                                                const dnnl_exec_arg_t* list) {
    static const auto execute = reinterpret_cast<decltype(&dnnl_primitive_execute)>(
        dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
    const std::size_t before = count;
    const dnnl_status_t status = execute(primitive, stream, arguments, list);
    onednn_count += count - before;
    count = before;
    return status;
}

void* operator new(std::size_t n) { return checked(allocate(n)); }
void* operator new(std::size_t n, std::align_val_t a) { return checked(allocate(n, a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return allocate(n, a);
}

void* operator new[](std::size_t n) { return checked(allocate(n)); }
void* operator new[](std::size_t n, std::align_val_t a) { return checked(allocate(n, a)); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate(n); }
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return allocate(n, a);
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(memory);
}

void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(memory);
}
