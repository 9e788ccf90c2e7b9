#include "core/data/digest.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "core/base/random.hpp"

namespace dp::core {
namespace {

std::uint64_t add(std::uint64_t hash, std::span<const std::uint8_t> bytes) {
    hash = splitmix64(hash ^ bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, std::min(sizeof(word), bytes.size() - at));
        hash = splitmix64(hash ^ word);
    }
    return hash;
}

}  // namespace

std::uint64_t digest(std::span<const std::uint8_t> bytes) { return add(0, bytes); }

std::uint64_t digest(const Dataset& data) {
    std::uint64_t hash = 0;
    for (const ImageSet* images : {&data.train, &data.test}) {
        hash = add(add(hash, images->pixels), images->labels);
    }
    return hash;
}

}  // namespace dp::core
