#include "experiments/delay_listener.hpp"

#include <chrono>
#include <thread>

namespace dp::experiments {

void DelayListener::on_phase(const core::WorkerPosition& position) {
    ListenerInFront::on_phase(position);
    if (position.phase != delay_.phase) return;
    const auto [first, count] = position.played;
    if (delay_.rank < first || delay_.rank >= first + count) return;
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(delay_.milliseconds));
}

}  // namespace dp::experiments
