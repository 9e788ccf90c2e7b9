// What is kept of each step.
#include "core/measure/step_times.hpp"

#include "tests/support/catch.hpp"

using namespace dp::core;

namespace {

/// `seconds` in every phase, a half and a quarter of that waiting and hidden.
StepMark mark_at(double seconds) {
    StepMark mark{{}, seconds / 2, seconds / 4};
    mark.phases.fill(seconds);
    return mark;
}

}  // namespace

TEST_CASE("a step is what the clocks gain until its end, from the step before or its epoch") {
    StepRecorder recorder;
    recorder.begin_epoch(2, mark_at(1.0));
    recorder.end_step(mark_at(1.004));
    recorder.end_step(mark_at(1.0040064));
    recorder.begin_epoch(1, mark_at(5.0));
    recorder.end_step(mark_at(5.000008));
    const std::vector<EpochSteps> epochs = recorder.take();
    REQUIRE(epochs.size() == 2);
    using Column = std::vector<std::uint32_t>;
    for (const StepPart part :
         {StepPart::kLoad, StepPart::kForward, StepPart::kBackward, StepPart::kExchange,
          StepPart::kUpdate, StepPart::kPublish, StepPart::kOther}) {
        CHECK(epochs[0][part] == Column{4000, 6});
    }
    CHECK(epochs[0][StepPart::kWait] == Column{2000, 3});
    CHECK(epochs[0][StepPart::kHidden] == Column{1000, 2});
    CHECK(epochs[0][StepPart::kLateAtExchange].empty());
    CHECK(epochs[0].whole(0) == 28000);
    CHECK(epochs[1][StepPart::kLoad] == Column{8});
}

TEST_CASE("of a long run the first steps are kept, in memory taken before an epoch") {
    StepRecorder recorder;
    const std::size_t in_first = kMostStepsKept - 10;
    recorder.begin_epoch(in_first, {});
    for (std::size_t step = 0; step < in_first; ++step) recorder.end_step({});
    recorder.begin_epoch(in_first, {});
    for (std::size_t step = 0; step < in_first; ++step) recorder.end_step({});
    recorder.begin_epoch(1, {});
    recorder.end_step({});
    const std::vector<EpochSteps> epochs = recorder.take();
    CHECK(epochs.at(0).size() == in_first);
    CHECK(epochs.at(1).size() == 10);
    CHECK(epochs.at(1).columns.front().capacity() == 10);
    CHECK(epochs.at(2).size() == 0);
}

TEST_CASE("microseconds are rounded, and no time is too long for them") {
    CHECK(to_microseconds(1.4e-6) == 1);
    CHECK(to_microseconds(1.6e-6) == 2);
    CHECK(to_microseconds(-1e-9) == 0);
    CHECK(to_microseconds(1e6) == 4'294'967'295U);
}
