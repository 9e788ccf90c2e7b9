// What ranks on different machines must have in common.
#include "multiproc/mpi/identity.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/data/digest.hpp"
#include "core/data/synthetic.hpp"
#include "tests/support/catch.hpp"

using namespace dp;
using multiproc::RankIdentity;

namespace {

void store(auto& field, std::string_view text) { std::ranges::copy(text, field.begin()); }

std::vector<RankIdentity> three_ranks() {
    RankIdentity rank;
    store(rank.host, "node1");
    store(rank.program, "0.1.0");
    store(rank.instruction_set, "avx2");
    store(rank.clock, "a");
    rank.data = 17;
    std::vector<RankIdentity> all(3, rank);
    store(all[2].host, "node3");
    return all;
}

core::ExitCode code_of(const std::vector<RankIdentity>& all, const std::string& text) {
    try {
        multiproc::check_same(all);
    } catch (const core::Error& error) {
        CHECK_THAT(error.what(), Catch::Contains(text));
        CHECK_THAT(error.what(), Catch::Contains("worker 0 on node1"));
        CHECK_THAT(error.what(), Catch::Contains("worker 2 on node3"));
        return error.code();
    }
    return core::ExitCode::kSuccess;
}

}  // namespace

TEST_CASE("ranks that differ in program, instruction set or data are named with both values") {
    CHECK(code_of(three_ranks(), "") == core::ExitCode::kSuccess);
    auto all = three_ranks();
    store(all[2].program, "0.2.0");
    CHECK(code_of(all, "0.2.0") == core::ExitCode::kUsage);
    all = three_ranks();
    store(all[2].instruction_set, "avx512_core");
    CHECK(code_of(all, "avx512_core") == core::ExitCode::kUsage);
    all = three_ranks();
    all[2].data = 18;
    CHECK(code_of(all, "0000000000000012") == core::ExitCode::kVerification);
}

TEST_CASE("ranks share a clock when all are on one machine") {
    auto all = three_ranks();
    CHECK(multiproc::share_clock(all));
    store(all[2].clock, "b");
    CHECK_FALSE(multiproc::share_clock(all));
}

TEST_CASE("the digest of data follows from each pixel and label, and not from its source") {
    core::Dataset data = core::make_synthetic(1, 30, 10);
    const std::uint64_t digest = core::digest(data);
    data.source = "elsewhere";
    CHECK(core::digest(data) == digest);
    data.test.pixels.back() ^= 1;
    CHECK(core::digest(data) != digest);
    data.test.pixels.back() ^= 1;
    data.train.labels.front() ^= 1;
    CHECK(core::digest(data) != digest);
}
