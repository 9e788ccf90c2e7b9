#include "multiproc/mpi/events.hpp"

#include <unistd.h>

#include <cerrno>

#include <nlohmann/json.hpp>

namespace dp::multiproc {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kBetweenSteps = std::chrono::milliseconds(50);

/// Nobody may read it any more; then there is nobody to tell that either.
void write_line(const char* kind, Json value) {
    const std::string line = Json{{kind, std::move(value)}}.dump() + "\n";
    for (std::size_t done = 0; done < line.size();) {
        const ssize_t count = write(STDOUT_FILENO, line.data() + done, line.size() - done);
        if (count < 0 && errno != EINTR) return;
        if (count > 0) done += static_cast<std::size_t>(count);
    }
}

core::EpochResult epoch_of(const Json& value) {
    return {value.at("images"),
            value.at("train_loss"),
            value.at("train_accuracy"),
            value.at("test_loss"),
            value.at("test_accuracy"),
            value.at("train_seconds"),
            value.at("evaluation_seconds")};
}

WorkerFailure failure_of(const Json& value) {
    std::optional<std::size_t> rank;
    std::optional<int> signal;
    if (!value.at("rank").is_null()) rank = value.at("rank").get<std::size_t>();
    if (!value.at("signal").is_null()) signal = value.at("signal").get<int>();
    return {static_cast<core::ExitCode>(value.at("code").get<int>()), value.at("message"), rank,
            value.at("pid").get<int>(), signal};
}

/// The launcher ends the others when one fails, and a rank may notice that another is gone.
int weight(const WorkerFailure& failure) {
    if (failure.signal()) return 2;
    return failure.code() == core::ExitCode::kTerminated ? 0 : 1;
}

}  // namespace

void EventWriter::on_worker_start(std::size_t rank, int pid) {
    write_line("start", {{"rank", rank}, {"pid", pid}});
}

void EventWriter::on_step(std::size_t epoch, std::size_t step, std::size_t steps,
                          std::size_t images) {
    const auto now = std::chrono::steady_clock::now();
    if (step > 1 && now - last_ < kBetweenSteps) return;
    last_ = now;
    write_line("step", {{"epoch", epoch}, {"step", step}, {"steps", steps}, {"images", images}});
}

void EventWriter::on_epoch(std::size_t epoch, const core::EpochResult& result) {
    write_line("epoch", {{"epoch", epoch},
                         {"images", result.images},
                         {"train_loss", result.train_loss},
                         {"train_accuracy", result.train_accuracy},
                         {"test_loss", result.test_loss},
                         {"test_accuracy", result.test_accuracy},
                         {"train_seconds", result.train_seconds},
                         {"evaluation_seconds", result.evaluation_seconds}});
}

void write_result(const Json& result) { write_line("result", result); }

void write_failure(const core::Error& error) {
    Json value{{"code", static_cast<int>(error.code())},
               {"message", error.what()},
               {"rank", nullptr},
               {"pid", 0},
               {"signal", nullptr}};
    if (const auto* failure = dynamic_cast<const WorkerFailure*>(&error)) {
        if (failure->rank()) value["rank"] = *failure->rank();
        if (failure->signal()) value["signal"] = *failure->signal();
        value["pid"] = failure->pid();
    }
    write_line("failure", std::move(value));
}

void EventReader::add(std::string_view bytes) {
    text_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text_.find('\n', begin)) != std::string::npos;) {
        take(std::string_view(text_).substr(begin, end - begin));
        begin = end + 1;
    }
    text_.erase(0, begin);
}

void EventReader::take(std::string_view line) {
    // Whatever else a launcher or a library says there is no event.
    const Json event = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!event.is_object() || event.size() != 1) return;
    const std::string& kind = event.begin().key();
    const Json& value = event.begin().value();
    if (kind == "start") {
        ++started_;
        listener_.on_worker_start(value.at("rank"), value.at("pid"));
    } else if (kind == "step") {
        listener_.on_step(value.at("epoch"), value.at("step"), value.at("steps"),
                          value.at("images"));
    } else if (kind == "epoch") {
        listener_.on_epoch(value.at("epoch"), epoch_of(value));
    } else if (kind == "result") {
        result_ = value.dump();
    } else if (kind == "failure") {
        const WorkerFailure failure = failure_of(value);
        if (!failure_ || weight(failure) > weight(*failure_)) failure_.emplace(failure);
    }
}

}  // namespace dp::multiproc
