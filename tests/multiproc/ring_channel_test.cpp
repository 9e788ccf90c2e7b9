// One channel alone, and the segment that holds them.
#include "multiproc/ring_channel.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/memory_block.hpp"
#include "core/measure/usage.hpp"
#include "multiproc/segment_channels.hpp"
#include "multiproc/shared_segment.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/data.hpp"
#include "threaded/run_threads.hpp"

using namespace dp;
using multiproc::ChannelShape;
using multiproc::RingChannel;
using multiproc::SegmentChannel;
using multiproc::SharedSegment;

namespace {

std::atomic<std::uint32_t> nobody_failed{0};
const core::WaitLimits kLimits{&nobody_failed, 60.0};
constexpr std::uint32_t kNearWrap = std::numeric_limits<std::uint32_t>::max() - 5;

/// A channel from a rank to itself.
class Loop {
public:
    explicit Loop(std::uint32_t start, ChannelShape shape = {256, 8})
        : memory_(RingChannel::bytes_of(shape)),
          ring_(new (memory_.data()) RingChannel(shape, start)),
          end_(ring_, ring_) {}

    core::Channel& end() { return end_; }

    void send(std::uint64_t value, const core::WaitLimits& limits = kLimits) {
        end_.wait_for_room(limits);
        std::memcpy(end_.slot().data(), &value, sizeof(value));
        end_.push(sizeof(value));
    }
    std::uint64_t receive(const core::WaitLimits& limits = kLimits) {
        end_.wait_for_segment(limits);
        std::uint64_t value = 0;
        std::memcpy(&value, end_.segment().data(), sizeof(value));
        end_.pop();
        return value;
    }

private:
    core::MemoryBlock memory_;
    RingChannel* ring_;
    SegmentChannel end_;
};

}  // namespace

TEST_CASE("a channel holds its slots' number of segments and hands them on in order") {
    for (const std::uint32_t slots : {2U, 8U}) {
        for (const std::uint32_t start : {0U, kNearWrap}) {
            Loop loop(start, {64, slots});
            for (std::uint64_t round = 0; round < 3; ++round) {
                CHECK_FALSE(loop.end().has_segment());
                for (std::uint64_t i = 0; i < slots; ++i) {
                    CHECK(loop.end().has_room());
                    loop.send(100 * round + i);
                }
                CHECK_FALSE(loop.end().has_room());
                for (std::uint64_t i = 0; i < slots; ++i) CHECK(loop.receive() == 100 * round + i);
            }
        }
    }
}

TEST_CASE("a full channel and an empty one let the wait end at its deadline") {
    Loop loop(0, {64, 2});
    const core::WaitLimits soon{&nobody_failed, 0.05};
    CHECK(tests::error_of([&] { loop.receive(soon); })->code() == core::ExitCode::kStalled);
    loop.send(1);
    loop.send(2);
    CHECK(tests::error_of([&] { loop.send(3, soon); })->code() == core::ExitCode::kStalled);
}

TEST_CASE("two sides that take turns with a channel lose no segment, past the wrap too") {
    const ChannelShape shape{4096, 4};
    Loop loop(kNearWrap, shape);
    core::Channel& channel = loop.end();
    std::size_t wrong = 0;
    threaded::run_team(
        2,
        [&](std::size_t rank) {
            for (std::size_t i = 0; i < 200; ++i) {
                const auto mark = static_cast<std::byte>(i);
                if (rank == 0) {
                    channel.wait_for_room(kLimits);
                    std::ranges::fill(channel.slot(), mark);
                    channel.push(shape.slot_bytes);
                    continue;
                }
                channel.wait_for_segment(kLimits);
                if (channel.segment().front() != mark || channel.segment().back() != mark) ++wrong;
                channel.pop();
            }
        },
        [] {});
    CHECK(wrong == 0);
}

TEST_CASE("the parts of a shared segment are apart, aligned, empty, and one for all processes") {
    constexpr std::size_t kFloats = 1000;
    SharedSegment segment({.world_size = 3, .gradient_floats = kFloats});
    std::set<const void*> parts;
    for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK(segment.position(rank).started.load() == 0);
        CHECK(segment.counters(rank).handed.load() == 0);
        const std::size_t right = (rank + 1) % 3;
        CHECK_FALSE(segment.channel(rank, right)->has_segment());
        CHECK(segment.channel(right, rank) == nullptr);
        const std::span<float> gradients = segment.gradients(rank);
        CHECK(gradients.size() == kFloats);
        CHECK(std::ranges::count(gradients, 0.F) == std::ptrdiff_t{kFloats});
        CHECK(reinterpret_cast<std::uintptr_t>(gradients.data()) % 4096 == 0);
        for (const void* part : {static_cast<const void*>(&segment.position(rank)),
                                 static_cast<const void*>(&segment.counters(rank)),
                                 static_cast<const void*>(segment.channel(rank, right)),
                                 static_cast<const void*>(gradients.data())}) {
            CHECK(reinterpret_cast<std::uintptr_t>(part) % core::kAlignmentBytes == 0);
            CHECK(parts.insert(part).second);
        }
    }
    const pid_t child = fork();
    if (child == 0) {
        segment.gradients(1)[kFloats - 1] = 7.F;
        segment.channel(2, 0)->slot_to_write()[0] = std::byte{42};
        segment.channel(2, 0)->push();
        segment.counters(0).done.publish(9);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    REQUIRE(segment.channel(2, 0)->has_segment());
    CHECK(segment.channel(2, 0)->slot_to_read()[0] == std::byte{42});
    CHECK_FALSE(segment.channel(0, 1)->has_segment());
    CHECK(segment.gradients(1)[kFloats - 1] == 7.F);
    CHECK(segment.gradients(2)[0] == 0.F);
    CHECK(segment.counters(0).done.load() == 9);
    CHECK(segment.counters(1).done.load() == 0);
}

TEST_CASE("a shared segment has a channel for each pair of ranks that its reduction lets talk") {
    const SharedSegment segment({.world_size = 4, .receivers = [](std::size_t rank, std::size_t) {
                                     return std::vector<std::size_t>{rank ^ 2U};
                                 }});
    std::set<const void*> channels;
    for (std::size_t from = 0; from < 4; ++from) {
        for (std::size_t to = 0; to < 4; ++to) {
            const RingChannel* channel = segment.channel(from, to);
            CHECK((channel != nullptr) == (to == (from + 1) % 4 || to == (from ^ 2U)));
            if (channel != nullptr) CHECK(channels.insert(channel).second);
        }
    }
    CHECK(channels.size() == 8);
}

TEST_CASE("a shared segment of 256 ranks with channels to eight others takes little memory") {
    const std::uint64_t before = core::read_process_memory()->pss_bytes;
    const SharedSegment segment({.world_size = 256, .receivers = [](std::size_t rank, std::size_t) {
                                     std::vector<std::size_t> all;
                                     for (unsigned k = 0; k < 8; ++k) all.push_back(rank ^ 1U << k);
                                     return all;
                                 }});
    CHECK(core::read_process_memory()->pss_bytes - before < std::uint64_t{64} << 20);
}
