// One channel of the ring alone, and the segment that holds them.
#include "multiproc/ring_channel.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "core/base/error.hpp"
#include "multiproc/shared_segment.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using multiproc::kSlotBytes;
using multiproc::kSlots;
using multiproc::RingChannel;
using multiproc::SharedSegment;

namespace {

std::atomic<std::uint32_t> nobody_failed{0};
const core::WaitLimits kLimits{&nobody_failed, 60.0};
constexpr std::uint32_t kNearWrap = std::numeric_limits<std::uint32_t>::max() - 5;

std::span<const std::byte> bytes_of(const std::uint64_t& value) {
    return std::as_bytes(std::span(&value, 1));
}

}  // namespace

TEST_CASE("a channel holds its slots' number of segments and hands them on in order") {
    for (const std::uint32_t start : {0U, kNearWrap}) {
        const auto channel = std::make_unique<RingChannel>();
        channel->start_at(start);
        for (std::uint64_t round = 0; round < 3; ++round) {
            CHECK_FALSE(channel->has_segment());
            for (std::uint64_t i = 0; i < kSlots; ++i) {
                CHECK(channel->has_room());
                channel->send(bytes_of(100 * round + i), kLimits);
            }
            CHECK_FALSE(channel->has_room());
            for (std::uint64_t i = 0; i < kSlots; ++i) {
                std::uint64_t value = 0;
                channel->receive(std::as_writable_bytes(std::span(&value, 1)), kLimits);
                CHECK(value == 100 * round + i);
            }
        }
    }
}

TEST_CASE("a full channel and an empty one let the wait end at its deadline") {
    const auto channel = std::make_unique<RingChannel>();
    const core::WaitLimits soon{&nobody_failed, 0.05};
    std::uint64_t value = 0;
    CHECK(tests::error_of([&] {
              channel->receive(std::as_writable_bytes(std::span(&value, 1)), soon);
          })->code() == core::ExitCode::kStalled);
    for (std::uint32_t i = 0; i < kSlots; ++i) channel->send(bytes_of(value), kLimits);
    CHECK(tests::error_of([&] { channel->send(bytes_of(value), soon); })->code() ==
          core::ExitCode::kStalled);
}

TEST_CASE("two sides that take turns with a channel lose no segment, past the wrap too") {
    const auto channel = std::make_unique<RingChannel>();
    channel->start_at(kNearWrap);
    std::size_t wrong = 0;
    threaded::run_team(
        2,
        [&](std::size_t rank) {
            std::vector<std::byte> segment(kSlotBytes);
            for (std::size_t i = 0; i < 200; ++i) {
                const auto mark = static_cast<std::byte>(i);
                if (rank == 0) {
                    std::ranges::fill(segment, mark);
                    channel->send(segment, kLimits);
                    continue;
                }
                channel->receive(segment, kLimits);
                if (segment.front() != mark || segment.back() != mark) ++wrong;
            }
        },
        [] {});
    CHECK(wrong == 0);
}

TEST_CASE("the parts of a shared segment are apart, aligned, empty, and one for all processes") {
    constexpr std::size_t kFloats = 1000;
    SharedSegment segment(3, kFloats);
    std::set<const void*> parts;
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK(segment.position(rank).started.load() == 0);
        CHECK(segment.counters(rank).handed.load() == 0);
        CHECK_FALSE(segment.channel_from(rank).has_segment());
        const std::span<float> gradients = segment.gradients(rank);
        CHECK(gradients.size() == kFloats);
        CHECK(std::ranges::count(gradients, 0.F) == std::ptrdiff_t{kFloats});
        CHECK(reinterpret_cast<std::uintptr_t>(gradients.data()) % 4096 == 0);
        for (const void* part : {static_cast<const void*>(&segment.position(rank)),
                                 static_cast<const void*>(&segment.counters(rank)),
                                 static_cast<const void*>(&segment.channel_from(rank)),
                                 static_cast<const void*>(gradients.data())}) {
            CHECK(reinterpret_cast<std::uintptr_t>(part) % core::kAlignmentBytes == 0);
            CHECK(parts.insert(part).second);
        }
    }
    const pid_t child = fork();
    if (child == 0) {
        segment.gradients(1)[kFloats - 1] = 7.F;
        segment.channel_from(2).send(bytes_of(42), kLimits);
        segment.counters(0).done.publish(9);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    std::uint64_t value = 0;
    segment.channel_from(2).receive(std::as_writable_bytes(std::span(&value, 1)), kLimits);
    CHECK(value == 42);
    CHECK(segment.gradients(1)[kFloats - 1] == 7.F);
    CHECK(segment.gradients(2)[0] == 0.F);
    CHECK(segment.counters(0).done.load() == 9);
    CHECK(segment.counters(1).done.load() == 0);
}
