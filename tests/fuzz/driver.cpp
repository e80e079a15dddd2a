// SPDX-License-Identifier: Apache-2.0

// Runs a fuzz target without libFuzzer, under any compiler: all seeds, then random changes of them,
// the same ones every time.
//     fuzz_NAME CORPUS_FOLDER_OR_FILE [RUNS [SEED]]
// An input that breaks the target is left in fuzz_NAME.crash; name it as the corpus to see it
// again.

#include "tests/fuzz/mutator.h"
#include "tests/fuzz/target.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

std::string s_crashFile;
std::string s_input; ///< the one that runs

/// Only what a signal handler may call.
void saveInput(int signal) {
    const int file = ::open(s_crashFile.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0) {
        [[maybe_unused]] const auto written = ::write(file, s_input.data(), s_input.size());
        ::close(file);
    }
    std::signal(signal, SIG_DFL);
    ::raise(signal);
}

std::vector<std::string> readCorpus(const fs::path& path) {
    std::vector<fs::path> files;
    if (fs::is_directory(path))
        for (const auto& entry : fs::directory_iterator(path))
            files.push_back(entry.path());
    else
        files.push_back(path);
    std::sort(files.begin(), files.end());
    std::vector<std::string> corpus;
    for (const fs::path& file : files) {
        std::ifstream in(file, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return corpus;
}

void run(std::string input) {
    s_input = std::move(input);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(s_input.data()), s_input.size());
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: " << argv[0] << " CORPUS [RUNS [SEED]]\n";
        return 2;
    }
    s_crashFile = fs::path(argv[0]).filename().string() + ".crash";
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        std::signal(signal, saveInput);
    const std::vector<std::string> corpus = readCorpus(argv[1]);
    if (corpus.empty()) {
        std::cerr << "no seeds in " << argv[1] << '\n';
        return 2;
    }
    const long runs = argc > 2 ? std::atol(argv[2]) : 0;
    fkv::fuzz::Mutator mutator(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1, corpus);
    for (const std::string& seed : corpus)
        run(seed);
    for (long i = 0; i < runs; ++i)
        run(mutator.next());
    std::cout << corpus.size() << " seeds and " << runs << " changes of them, no finding\n";
    return 0;
}
