// Errors that a user or the environment causes, and the exit code each one ends the program with.
// Libraries throw; only main catches. A broken invariant is not an Error but a failed DP_CHECK.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace dp::core {

/// Exit codes of the dp_compare program.
enum class ExitCode : int {
    kSuccess = 0,
    kRunFailed = 1,
    kUsage = 2,
    kData = 3,
    kResources = 4,
    kVerification = 5,
    kWorkerDied = 6,
    kStalled = 7,
    kRegression = 8,
    kNotJudged = 9,  // what was asked to be checked could not be
    kInterrupted = 130,
    kTerminated = 143,
};

/// What failed, the value that made it fail, and the next step, in one message.
class Error : public std::runtime_error {
public:
    Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

    template <typename... Args>
    Error(ExitCode code, fmt::format_string<Args...> format, Args&&... args)
        : Error(code, fmt::format(format, std::forward<Args>(args)...)) {}

    [[nodiscard]] ExitCode code() const noexcept { return code_; }

private:
    ExitCode code_;
};

/// The Error that `exception` is, or that says what it is.
inline Error as_error(const std::exception_ptr& exception) try {
    std::rethrow_exception(exception);
} catch (const Error& error) {
    return error;
} catch (const std::bad_alloc&) {
    return {ExitCode::kResources, "out of memory: use fewer workers or a smaller --batch-size"};
} catch (const std::exception& error) {
    return {ExitCode::kRunFailed, std::string(error.what())};
}

}  // namespace dp::core
