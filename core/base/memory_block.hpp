// The memory behind parameters, gradients, optimizer state and activations: zero pages that belong
// to the first core that writes them, aligned to a page, released by the owner.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace dp::core {

/// Every tensor of a flat block starts on a cache line of its own.
inline constexpr std::size_t kAlignmentBytes = 64;
inline constexpr std::size_t kAlignmentFloats = kAlignmentBytes / sizeof(float);

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

/// Deleter of mapped pages.
struct Unmap {
    std::size_t size_bytes = 0;
    void operator()(std::byte* address) const noexcept;
};

/// A move-only range of private zero-filled pages. No page is touched by construction, so each
/// lands near the core that first writes it. Blocks of 2 MiB and more ask for huge pages.
class MemoryBlock {
public:
    MemoryBlock() = default;
    /// `size_bytes` may be 0. Throws Error(kResources) when the system refuses the memory.
    explicit MemoryBlock(std::size_t size_bytes);

    [[nodiscard]] std::byte* data() const { return data_.get(); }
    [[nodiscard]] std::size_t size_bytes() const { return data_.get_deleter().size_bytes; }

private:
    std::unique_ptr<std::byte, Unmap> data_;
};

/// A MemoryBlock of `size` floats.
class FloatBlock {
public:
    FloatBlock() = default;
    explicit FloatBlock(std::size_t size) : memory_(size * sizeof(float)), size_(size) {}

    [[nodiscard]] std::span<float> span() const {
        return {reinterpret_cast<float*>(memory_.data()), size_};
    }
    [[nodiscard]] float* data() const { return span().data(); }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    MemoryBlock memory_;
    std::size_t size_ = 0;
};

}  // namespace dp::core
