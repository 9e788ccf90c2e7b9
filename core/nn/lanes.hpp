// Channels side by side as vectors, in float32 or bfloat16 memory and float32 arithmetic. For our
// own loops over oneDNN's blocked layouts.
#pragma once

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace dp::core {

/// The upper half of a float32.
struct BFloat16 {
    std::uint16_t bits;
};

inline float to_float(float value) { return value; }
inline float to_float(BFloat16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Rounds to nearest, ties to even.
template <typename Element>
Element from_float(float value) {
    if constexpr (std::is_same_v<Element, float>) {
        return value;
    } else {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        // Rounding would carry a NaN's digits into its exponent and sign.
        if (value != value) return {static_cast<std::uint16_t>((bits >> 16) | 0x40U)};
        const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
        return {static_cast<std::uint16_t>(rounded >> 16)};
    }
}

/// Vectors of so many values.
template <std::size_t kLanes>
struct LaneTypes;
template <>
struct LaneTypes<16> {
    using Floats [[gnu::vector_size(64)]] = float;
    using Words [[gnu::vector_size(64)]] = std::int32_t;
    using Unsigned [[gnu::vector_size(64)]] = std::uint32_t;
    using Halves [[gnu::vector_size(32)]] = std::uint16_t;
    using Bytes [[gnu::vector_size(16)]] = std::uint8_t;
};
template <>
struct LaneTypes<8> {
    using Floats [[gnu::vector_size(32)]] = float;
    using Words [[gnu::vector_size(32)]] = std::int32_t;
    using Unsigned [[gnu::vector_size(32)]] = std::uint32_t;
    using Halves [[gnu::vector_size(16)]] = std::uint16_t;
    using Bytes [[gnu::vector_size(8)]] = std::uint8_t;
};

/// kLanes values of type Element in memory.
template <std::size_t kLanes, typename Element>
struct Lanes {
    using Floats = typename LaneTypes<kLanes>::Floats;
    using Words = typename LaneTypes<kLanes>::Words;
    using Unsigned = typename LaneTypes<kLanes>::Unsigned;
    using Halves = typename LaneTypes<kLanes>::Halves;
    using Bytes = typename LaneTypes<kLanes>::Bytes;

    static Floats load(const Element* from) {
        if constexpr (std::is_same_v<Element, float>) {
            return load_floats(from);
        } else {
            Halves halves;
            std::memcpy(&halves, from, sizeof halves);
            return std::bit_cast<Floats>(__builtin_convertvector(halves, Unsigned) << 16);
        }
    }
    /// As from_float, but for denormals, which a worker rounds to zero anyway.
    static void store(Element* to, const Floats& values) {
        if constexpr (std::is_same_v<Element, float>) {
            std::memcpy(to, &values, sizeof values);
        } else {
#if defined(__AVX512BF16__)
            if constexpr (kLanes == 16) {
                const auto halves = _mm512_cvtneps_pbh(values);
                std::memcpy(to, &halves, sizeof halves);
                return;
            }
#endif
            const auto bits = std::bit_cast<Unsigned>(values);
            const Unsigned finite = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
            const Unsigned rounded = values != values ? (bits >> 16) | 0x40U : finite;
            const Halves halves = __builtin_convertvector(rounded, Halves);
            std::memcpy(to, &halves, sizeof halves);
        }
    }

    static Floats load_floats(const float* from) {
        Floats floats;
        std::memcpy(&floats, from, sizeof floats);
        return floats;
    }
    static Words load_bytes(const std::uint8_t* from) {
        Bytes bytes;
        std::memcpy(&bytes, from, sizeof bytes);
        return __builtin_convertvector(bytes, Words);
    }
    static void store_bytes(std::uint8_t* to, const Words& values) {
        const Bytes bytes = __builtin_convertvector(values, Bytes);
        std::memcpy(to, &bytes, sizeof bytes);
    }
};

}  // namespace dp::core
