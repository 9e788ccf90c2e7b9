// How the gradient block is cut.
#include "core/exchange/buckets.hpp"

#include <omp.h>

#include "core/nn/model.hpp"
#include "tests/support/catch.hpp"

using namespace dp::core;

namespace {

NetworkLayout cifar_layout() {
    omp_set_num_threads(1);
    return plan_layout(find_model("cifar_cnn"), 16);
}

/// The buckets must follow each other downwards and end at 0.
void check_covers(const std::vector<Range>& buckets, std::size_t size) {
    std::size_t end = size;
    for (const Range& bucket : buckets) {
        CHECK(bucket.offset + bucket.size == end);
        CHECK(bucket.size > 0);
        end = bucket.offset;
    }
    CHECK(end == 0);
}

}  // namespace

TEST_CASE("buckets cover the block once from its last tensor to its first") {
    const NetworkLayout layout = cifar_layout();
    const std::size_t tensors = layout.parameters.tensors().size();
    for (const std::size_t bytes : {0UL, 1UL, 4096UL, 1UL << 20, 1UL << 30}) {
        check_covers(make_buckets(layout.parameters, bytes), layout.parameters.size());
    }
    CHECK(make_buckets(layout.parameters, 0).size() == tensors);
    CHECK(make_buckets(layout.parameters, 1UL << 30).size() == 1);
}

TEST_CASE("a bucket is closed once it holds as many bytes as asked for") {
    const NetworkLayout layout = cifar_layout();
    const auto buckets = make_buckets(layout.parameters, 1UL << 20);
    REQUIRE(buckets.size() > 1);
    for (std::size_t i = 0; i + 1 < buckets.size(); ++i) {
        CHECK(buckets[i].size * sizeof(float) >= 1UL << 20);
    }
    // The last tensor, fc2.bias, takes one cache line: as many bytes as asked for, not one more.
    CHECK(make_buckets(layout.parameters, 64).front().size == 16);
    CHECK(make_buckets(layout.parameters, 65).front().size > 16);
}

TEST_CASE("chunks cover a bucket once in order and start on cache lines") {
    for (const std::size_t world : {1UL, 2UL, 3UL, 4UL, 7UL, 13UL}) {
        for (const std::size_t size : {0UL, 1UL, world - 1, world, world + 1, 1'147'914UL}) {
            const Range bucket{32, size};
            std::size_t at = bucket.offset;
            for (std::size_t c = 0; c < world; ++c) {
                const Range chunk = chunk_of(bucket, world, c);
                CHECK(chunk.offset == at);
                if (chunk.size > 0) CHECK(chunk.offset % 16 == 0);
                at += chunk.size;
            }
            CHECK(at == bucket.offset + bucket.size);
        }
    }
}
