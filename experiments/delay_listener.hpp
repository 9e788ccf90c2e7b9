// The fault that --inject asks for: a rank that is late in each step.
#pragma once

#include "core/train/job.hpp"

namespace dp::experiments {

/// Lets rank `delay.rank` sleep each time it enters `delay.phase`. An update that one worker does
/// for several ranks is as late as theirs.
class DelayListener final : public core::ListenerInFront {
public:
    DelayListener(core::RunListener& next, const core::Delay& delay)
        : ListenerInFront(next), delay_(delay) {}

    void on_phase(const core::WorkerPosition& position) override;

private:
    core::Delay delay_;
};

}  // namespace dp::experiments
