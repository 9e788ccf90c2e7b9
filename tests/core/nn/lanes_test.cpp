// Floats to bfloat16 and back, one by one and as vectors.
#include "core/nn/lanes.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

using namespace dp::core;

namespace {

using Limits = std::numeric_limits<float>;

float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
std::uint16_t rounded(std::uint32_t bits) { return from_float<BFloat16>(float_of(bits)).bits; }

/// Values of every kind but denormals, which vectors may round to zero.
std::vector<float> values() {
    return {0.F,
            -0.F,
            1.F,
            -1.5F,
            float_of(0x3f808000),  // between two bfloat16 values, the lower of them even
            float_of(0x3f818000),  // the upper of them even
            float_of(0x3f808001),
            float_of(0xbf807fff),
            Limits::max(),
            Limits::lowest(),
            Limits::min(),
            Limits::infinity(),
            -Limits::infinity(),
            Limits::quiet_NaN(),
            float_of(0x7fffffff),  // NaNs whose digits would carry into exponent and sign
            float_of(0xffffffff)};
}

template <std::size_t kLanes, typename Element>
void check_vectors() {
    using V = Lanes<kLanes, Element>;
    const std::vector<float> all = values();
    for (std::size_t first = 0; first < all.size(); ++first) {
        std::array<float, kLanes> in{};
        for (std::size_t k = 0; k < kLanes; ++k) in[k] = all[(first + k) % all.size()];
        std::array<Element, kLanes> stored{};
        V::store(stored.data(), V::load_floats(in.data()));
        const auto loaded = V::load(stored.data());
        for (std::size_t k = 0; k < kLanes; ++k) {
            const float expected = to_float(from_float<Element>(in[k]));
            INFO(in[k] << " in lane " << k);
            CHECK(std::bit_cast<std::uint32_t>(float{loaded[k]}) ==
                  std::bit_cast<std::uint32_t>(expected));
        }
    }
}

}  // namespace

TEST_CASE("a float becomes the nearest bfloat16, and of two as near the even one") {
    CHECK(rounded(0x3f800000) == 0x3f80);
    CHECK(rounded(0x3f807fff) == 0x3f80);
    CHECK(rounded(0x3f808000) == 0x3f80);
    CHECK(rounded(0x3f808001) == 0x3f81);
    CHECK(rounded(0x3f818000) == 0x3f82);
    CHECK(rounded(0xbf818000) == 0xbf82);
    CHECK(rounded(0x80000000) == 0x8000);
    CHECK(rounded(0x7f7fffff) == 0x7f80);  // the largest float is nearest to infinity
    CHECK(rounded(0xff800000) == 0xff80);
}

TEST_CASE("a bfloat16 of a NaN is a NaN of its sign") {
    for (const std::uint32_t bits : {0x7fc00000U, 0x7fffffffU, 0x7f800001U, 0xffffffffU}) {
        const BFloat16 half = from_float<BFloat16>(float_of(bits));
        CHECK(std::isnan(to_float(half)));
        CHECK((half.bits >> 15) == (bits >> 31));
    }
}

TEST_CASE("vectors are stored and loaded as single values are") {
    check_vectors<16, float>();
    check_vectors<8, float>();
    check_vectors<16, BFloat16>();
    check_vectors<8, BFloat16>();
}

TEST_CASE("bytes become words and words bytes") {
    using V = Lanes<16, float>;
    std::array<std::uint8_t, 16> in{};
    for (std::size_t k = 0; k < 16; ++k) in[k] = static_cast<std::uint8_t>(17 * k);
    const auto words = V::load_bytes(in.data());
    std::array<std::uint8_t, 16> out{};
    V::store_bytes(out.data(), words);
    CHECK(words[15] == 255);
    CHECK(out == in);
}
