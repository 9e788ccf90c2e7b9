#include "core/base/memory_block.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.hpp"

namespace dp::core {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

MemoryBlock::MemoryBlock(std::size_t size_bytes) {
    if (size_bytes == 0) return;
    // A block that starts inside a huge page could use none for its head: map more and start
    // aligned.
    const bool huge = size_bytes >= kHugePageBytes;
    const std::size_t mapped_bytes =
        huge ? round_up(size_bytes, kHugePageBytes) + kHugePageBytes : size_bytes;
    void* address =
        mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
        throw Error(ExitCode::kResources,
                    "cannot allocate {} MiB ({}): use fewer workers or a smaller --batch-size",
                    size_bytes >> 20, std::strerror(errno));
    }
    auto* start = static_cast<std::byte*>(address);
    if (huge) {
        const auto misaligned = reinterpret_cast<std::uintptr_t>(start) % kHugePageBytes;
        const std::size_t head = misaligned == 0 ? 0 : kHugePageBytes - misaligned;
        const std::size_t kept = round_up(size_bytes, kHugePageBytes);
        if (head != 0) munmap(start, head);
        if (const std::size_t tail = mapped_bytes - head - kept; tail != 0) {
            munmap(start + head + kept, tail);
        }
        start += head;
        size_bytes = kept;
        // A hint: where the kernel has no huge pages, small ones do.
        madvise(start, size_bytes, MADV_HUGEPAGE);
    }
    data_ = std::unique_ptr<std::byte, Unmap>(start, Unmap{size_bytes});
}

void Unmap::operator()(std::byte* address) const noexcept { munmap(address, size_bytes); }

}  // namespace dp::core
