// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/program.h"

#include "tests/support/temporary_folder.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fkv::testing {

namespace {

struct Channels {
    int out = -1;
    int error = -1;
};

int openForWriting(const std::string& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error("cannot open " + path);
    return file;
}

std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

pid_t launch(const Start& start, const Channels& channels) {
    std::vector<std::string> words{FKV_PROGRAM};
    words.insert(words.end(), start.arguments.begin(), start.arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child > 0) return child;
    ::dup2(channels.out, STDOUT_FILENO);
    ::dup2(channels.error, STDERR_FILENO);
    if (start.fileLimit > 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{static_cast<rlim_t>(start.fileLimit), RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ::execv(argv[0], argv.data());
    ::_exit(127);
}

int wait(pid_t child) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child) throw std::runtime_error("cannot wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

} // namespace

Ended run(const Start& start) {
    const TemporaryFolder folder;
    const std::string out = start.outputTo.empty() ? (folder / "out").string() : start.outputTo;
    const std::string error = (folder / "error").string();
    const Channels channels{openForWriting(out), openForWriting(error)};
    Ended ended;
    ended.code = wait(launch(start, channels));
    ::close(channels.out);
    ::close(channels.error);
    if (start.outputTo.empty()) ended.out = contents(out);
    ended.error = contents(error);
    return ended;
}

Ended interruptAt(const std::string& text, std::vector<std::string> arguments) {
    const TemporaryFolder folder;
    const std::string out = (folder / "out").string();
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0)
        throw std::runtime_error("cannot open a terminal");
    const Channels channels{openForWriting(out), ::open(::ptsname(terminal), O_RDWR | O_NOCTTY)};
    const pid_t child = launch({std::move(arguments)}, channels);
    ::close(channels.out);
    ::close(channels.error); // so that reading ends with the child
    Ended ended;
    bool sent = false;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(terminal, buffer, sizeof buffer)) > 0;) {
        ended.error.append(buffer, static_cast<std::size_t>(n));
        if (sent || ended.error.find(text) == std::string::npos) continue;
        sent = true;
        ::kill(child, SIGINT);
    }
    ::close(terminal);
    ended.code = wait(child);
    ended.out = contents(out);
    return ended;
}

} // namespace fkv::testing
