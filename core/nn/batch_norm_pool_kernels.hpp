// The loops of batch norm, ReLU and 2 x 2 max pooling in one pass, over activations that lie in
// blocks of kLanes channels. For batch_norm_pool_layer.cpp alone.
//
// Per channel, over the n values of a batch (Ioffe and Szegedy, "Batch normalization", 2015):
//   forward    z = (x - mean) / sqrt(variance + epsilon);  y = gamma z + beta
//              dst = max(0, y of the window's winner)
//   backward   dy = diff_dst at a winner with y > 0, 0 elsewhere
//              diff_gamma = sum(dy z);  diff_beta = sum(dy)
//              diff_src = gamma / sqrt(variance + epsilon) (dy - diff_beta / n - z diff_gamma / n)
// y is monotone in x, so a window's winner is the largest x (the smallest where gamma < 0). Forward
// keeps which one it is and its x, so that backward's sums read a quarter of the activation.
//
// Activations are float32 or bfloat16, all arithmetic and statistics float32. All memory is the
// caller's. A plane is one image's block of kLanes channels; planes are independent of each other
// but for their sums, which are kept by plane and added in the planes' order, so that the bits do
// not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/nn/lanes.hpp"

namespace dp::core::batch_norm_pool {

/// The winner of a window with y <= 0, which has none.
inline constexpr std::int32_t kNone = 4;

/// Extents of an activation (N, C, H, W) with C in blocks of kLanes, H and W even.
struct Geometry {
    std::size_t batch = 0, blocks = 0, height = 0, width = 0;

    [[nodiscard]] std::size_t plane() const { return height * width; }
    [[nodiscard]] std::size_t planes() const { return batch * blocks; }
};

/// A value of each for every channel.
struct ChannelValues {
    std::vector<float> mean, inverse_deviation;
};

template <std::size_t kLanes, typename Element>
struct Kernels {
    using V = Lanes<kLanes, Element>;
    using Floats = typename V::Floats;
    using Words = typename V::Words;

    /// Two sums over one plane.
    struct PlaneSums {
        Floats first, second;
    };

    /// Of (x - shift) and its square, four chains of additions at once.
    static PlaneSums sum_plane(const Element* x, std::size_t plane, const Floats& shift) {
        Floats sums[4] = {};
        Floats squared[4] = {};
        for (std::size_t i = 0; i < plane; i += 4) {
            for (std::size_t k = 0; k < 4; ++k) {
                const Floats d = V::load(x + (i + k) * kLanes) - shift;
                sums[k] += d;
                squared[k] += d * d;
            }
        }
        return {(sums[0] + sums[1]) + (sums[2] + sums[3]),
                (squared[0] + squared[1]) + (squared[2] + squared[3])};
    }

    /// Adds the first `planes` of `by_plane`, in order, to the sums of their channels: `sums` holds
    /// all channels' first sums, then their second.
    static void add_planes(const Geometry& g, std::span<const PlaneSums> by_plane,
                           std::span<double> sums) {
        std::ranges::fill(sums, 0.0);
        for (std::size_t p = 0; p < by_plane.size(); ++p) {
            double* first = &sums[p % g.blocks * kLanes];
            double* second = first + g.blocks * kLanes;
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
                first[lane] += static_cast<double>(by_plane[p].first[lane]);
                second[lane] += static_cast<double>(by_plane[p].second[lane]);
            }
        }
    }

    /// Mean and biased variance of every channel. Shifted by the first image's mean, so that the
    /// difference of sums loses no digits.
    static void statistics(const Geometry& g, const Element* x, std::span<PlaneSums> by_plane,
                           std::span<double> sums, std::span<float> shifts, std::span<float> mean,
                           std::span<float> variance) {
        const std::size_t channels = g.blocks * kLanes;
        const std::span<const double> sum = sums.first(channels);
        const std::span<const double> squares = sums.subspan(channels, channels);
        const auto sum_planes = [&](std::size_t planes, const auto& shift_of) {
            parallel_parts(planes, [&](std::size_t first, std::size_t last) {
                for (std::size_t p = first; p < last; ++p) {
                    by_plane[p] = sum_plane(x + p * g.plane() * kLanes, g.plane(), shift_of(p));
                }
            });
            add_planes(g, by_plane.first(planes), sums);
        };
        sum_planes(g.blocks, [](std::size_t) { return Floats{}; });
        for (std::size_t c = 0; c < channels; ++c) {
            shifts[c] = static_cast<float>(sum[c] / static_cast<double>(g.plane()));
        }
        sum_planes(g.planes(),
                   [&](std::size_t p) { return V::load_floats(&shifts[p % g.blocks * kLanes]); });
        const auto n = static_cast<double>(g.batch * g.plane());
        for (std::size_t c = 0; c < channels; ++c) {
            const double offset = sum[c] / n;
            mean[c] = static_cast<float>(static_cast<double>(shifts[c]) + offset);
            variance[c] = static_cast<float>(std::max(squares[c] / n - offset * offset, 0.0));
        }
    }

    /// x (N, C, H, W) -> dst (N, C, H / 2, W / 2). `winners` and `winning`, of dst's shape, are
    /// kept for backward; null in evaluation.
    template <bool kKeep>
    static void forward(const Geometry& g, const Element* x, const ChannelValues& channel,
                        const float* gamma, const float* beta, Element* dst, std::uint8_t* winners,
                        Element* winning) {
        parallel_parts(g.planes(), [&](std::size_t first, std::size_t last) {
            const std::size_t pooled = first * g.plane() / 4 * kLanes;
            forward_planes<kKeep>(g, first, last, x + 4 * pooled, channel, gamma, beta,
                                  dst + pooled, kKeep ? winners + pooled : nullptr,
                                  kKeep ? winning + pooled : nullptr);
        });
    }

    /// Sums over the batch of dy and dy z into diff_beta and diff_gamma.
    static void backward_channels(const Geometry& g, const ChannelValues& channel,
                                  const Element* diff_dst, const std::uint8_t* winners,
                                  const Element* winning, std::span<PlaneSums> by_plane,
                                  std::span<double> sums, float* diff_gamma, float* diff_beta) {
        const std::size_t channels = g.blocks * kLanes;
        const std::span<const double> gamma = sums.first(channels);
        const std::span<const double> beta = sums.subspan(channels, channels);
        const std::size_t pooled = g.plane() / 4;
        parallel_parts(g.planes(), [&](std::size_t first, std::size_t last) {
            for (std::size_t p = first; p < last; ++p) {
                const auto mean = V::load_floats(&channel.mean[p % g.blocks * kLanes]);
                PlaneSums plane{};
                for (std::size_t i = p * pooled * kLanes; i < (p + 1) * pooled * kLanes;
                     i += kLanes) {
                    const Floats dy = alive(diff_dst + i, winners + i);
                    plane.first += dy * (V::load(winning + i) - mean);
                    plane.second += dy;
                }
                by_plane[p] = plane;
            }
        });
        add_planes(g, by_plane, sums);
        for (std::size_t c = 0; c < channels; ++c) {
            diff_gamma[c] = static_cast<float>(gamma[c]) * channel.inverse_deviation[c];
            diff_beta[c] = static_cast<float>(beta[c]);
        }
    }

    /// diff_src may be x.
    static void backward(const Geometry& g, const Element* x, const ChannelValues& channel,
                         const float* gamma, const float* diff_gamma, const float* diff_beta,
                         const Element* diff_dst, const std::uint8_t* winners, Element* diff_src) {
        parallel_parts(g.planes(), [&](std::size_t first, std::size_t last) {
            const std::size_t pooled = first * g.plane() / 4 * kLanes;
            backward_planes(g, first, last, x + 4 * pooled, channel, gamma, diff_gamma, diff_beta,
                            diff_dst + pooled, winners + pooled, diff_src + 4 * pooled);
        });
    }

private:
    /// forward() of planes [first, last); the other pointers point at their first plane's values.
    template <bool kKeep>
    static void forward_planes(const Geometry& g, std::size_t first, std::size_t last,
                               const Element* x, const ChannelValues& channel, const float* gamma,
                               const float* beta, Element* dst, std::uint8_t* winners,
                               Element* winning) {
        const std::size_t row = g.width * kLanes;
        for (std::size_t p = first; p < last; ++p) {
            const std::size_t c = p % g.blocks * kLanes;
            const auto mean = V::load_floats(&channel.mean[c]);
            const auto inverse = V::load_floats(&channel.inverse_deviation[c]);
            const auto scale = V::load_floats(gamma + c);
            const auto shift = V::load_floats(beta + c);
            // Keys grow with y. Where gamma is 0 all are equal, and the first wins as in PyTorch.
            const Floats sign =
                scale < 0.F ? Floats{} - 1.F : (scale > 0.F ? Floats{} + 1.F : Floats{});
            for (std::size_t h = 0; h < g.height; h += 2, x += 2 * row) {
                for (std::size_t w = 0; w < row; w += 2 * kLanes) {
                    const auto x0 = V::load(x + w);
                    Floats best = sign * x0;
                    Words winner{};
                    take_larger(sign * V::load(x + w + kLanes), 1, best, winner);
                    take_larger(sign * V::load(x + row + w), 2, best, winner);
                    take_larger(sign * V::load(x + row + w + kLanes), 3, best, winner);
                    const Floats won = (sign == 0.F) & (best == best) ? x0 : sign * best;
                    const Floats z = (won - mean) * inverse;
                    const Floats y = z * scale + shift;
                    // Not y > 0: a value that is not a number must go on.
                    V::store(dst, y <= 0.F ? Floats{} : y);
                    dst += kLanes;
                    if constexpr (kKeep) {
                        winner = y <= 0.F ? Words{} + kNone : winner;
                        V::store_bytes(winners, winner);
                        V::store(winning, won);
                        winners += kLanes;
                        winning += kLanes;
                    }
                }
            }
        }
    }

    /// backward() of planes [first, last), pointers likewise.
    static void backward_planes(const Geometry& g, std::size_t first, std::size_t last,
                                const Element* x, const ChannelValues& channel, const float* gamma,
                                const float* diff_gamma, const float* diff_beta,
                                const Element* diff_dst, const std::uint8_t* winners,
                                Element* diff_src) {
        const std::size_t row = g.width * kLanes;
        const float share = 1.F / static_cast<float>(g.batch * g.plane());
        for (std::size_t p = first; p < last; ++p) {
            const std::size_t c = p % g.blocks * kLanes;
            const auto inverse = V::load_floats(&channel.inverse_deviation[c]);
            const Floats scale = V::load_floats(gamma + c) * inverse;
            // scale (dy - mean_beta - z mean_gamma) = scale dy - (slope x + offset)
            const Floats slope = scale * inverse * (V::load_floats(diff_gamma + c) * share);
            const Floats offset = scale * (V::load_floats(diff_beta + c) * share) -
                                  slope * V::load_floats(&channel.mean[c]);
            for (std::size_t h = 0; h < g.height; h += 2, x += 2 * row, diff_src += 2 * row) {
                for (std::size_t w = 0; w < row; w += 2 * kLanes) {
                    const Floats dy = scale * V::load(diff_dst);
                    const auto winner = V::load_bytes(winners);
                    diff_dst += kLanes;
                    winners += kLanes;
                    for (std::int32_t k = 0; k < 4; ++k) {
                        const std::size_t at =
                            w + (k & 1 ? kLanes : std::size_t{0}) + (k & 2 ? row : std::size_t{0});
                        const Floats rest = V::load(x + at) * slope + offset;
                        const Floats won = winner == k ? dy : Floats{};
                        V::store(diff_src + at, won - rest);
                    }
                }
            }
        }
    }

    static void take_larger(const Floats& value, std::int32_t index, Floats& best, Words& winner) {
        // A value that is not a number wins, so that it goes on.
        const auto larger = (value > best) | (value != value);
        best = larger ? value : best;
        winner = larger ? Words{} + index : winner;
    }
    static Floats alive(const Element* diff_dst, const std::uint8_t* winners) {
        const auto winner = V::load_bytes(winners);
        return winner == kNone ? Floats{} : V::load(diff_dst);
    }
};

}  // namespace dp::core::batch_norm_pool
