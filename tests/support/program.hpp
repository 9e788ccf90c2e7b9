// Runs dp_compare as a user does, and keeps what it printed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace dp::tests {

struct ProgramResult {
    int exit_code = -1;  // 128 + signal when it was killed
    std::string out;
    std::string err;
};

/// A dp_compare that is running. Ends it when destroyed.
class Program {
public:
    /// Starts it with `arguments` and, beside this process's environment, the "NAME=value" of
    /// `environment`.
    /// Signal `ignored`, if any, is ignored from its start, as nohup does.
    explicit Program(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment = {}, int ignored = 0);
    /// Starts `command`, found on PATH, in place of dp_compare.
    Program(const std::string& command, const std::vector<std::string>& arguments,
            const std::vector<std::string>& environment = {}, int ignored = 0);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Reads stderr until it holds `text`; false when it ends before.
    bool wait_for(const std::string& text);
    /// What was read of stderr.
    [[nodiscard]] const std::string& said() const { return result_.err; }
    /// Waits for the end.
    ProgramResult finish();

private:
    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    ProgramResult result_;
};

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment = {});

}  // namespace dp::tests
