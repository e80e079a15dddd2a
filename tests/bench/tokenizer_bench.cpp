// SPDX-License-Identifier: Apache-2.0

// Times tokenizers on one thread and prints one JSON object:
//     tokenizer_bench --model FOLDER... [--text FILE...] [--tokens 131072] [--repeats 9]
// A model folder needs no more than its tokenizer. Every text is cut to the number of tokens;
// beside the files given there are two that no memory of words seen helps with: random words,
// random Han. Figures are medians of single calls, nothing kept between them.

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/tokenizer.h"
#include "engine/text/unicode.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

using namespace fkv;
using nlohmann::json;

namespace {

struct Text {
    std::string name, bytes;
};

/// Wall-clock milliseconds, and those of this process alone: the machine may be busy with others.
struct Series {
    std::vector<double> ms, cpu;
    void add(const std::function<void()>& work) {
        const auto begin = std::chrono::steady_clock::now();
        const std::clock_t cpuBegin = std::clock();
        work();
        cpu.push_back(1e3 * static_cast<double>(std::clock() - cpuBegin) / CLOCKS_PER_SEC);
        ms.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                .count());
    }
    static double median(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    }
    double median() const { return median(ms); }
};

/// Words of two to nine letters, or stretches of Han: none of them likely twice.
Text randomText(const std::string& name, char32_t first, char32_t last, std::size_t characters) {
    std::mt19937 random(20261124);
    Text text{name, {}};
    while (characters > 0) {
        for (unsigned i = 2 + random() % 8; i > 0 && characters > 0; --i, --characters)
            text::appendUtf8(text.bytes, first + random() % (last - first + 1));
        text.bytes += ' ';
    }
    return text;
}

/// As many bytes as make `tokens` tokens; all when there are fewer.
void cutTo(std::string& text, const text::Tokenizer& tokenizer, std::size_t tokens) {
    const text::Encoding e = tokenizer.encode(text, false);
    if (e.ids.size() > tokens) text.resize(e.bytes[tokens - 1].second);
}

json encodeTimes(const text::Tokenizer& tokenizer, Text text, std::size_t tokens, int repeats) {
    cutTo(text.bytes, tokenizer, tokens);
    Series encode, decode;
    text::Encoding e;
    for (int i = 0; i < repeats; ++i) {
        encode.add([&] { e = tokenizer.encode(text.bytes, false); });
        decode.add([&] { tokenizer.decode(e.ids); });
    }
    const double ms = encode.median();
    return {{"text", text.name},
            {"bytes", text.bytes.size()},
            {"tokens", e.ids.size()},
            {"encode_ms", ms},
            {"encode_ms_per_128k_tokens", ms * 131072.0 / static_cast<double>(e.ids.size())},
            {"encode_cpu_ms", Series::median(encode.cpu)},
            {"encode_mb_per_s", static_cast<double>(text.bytes.size()) / 1e3 / ms},
            {"decode_ms", decode.median()}};
}

json modelTimes(const std::string& folder, const std::vector<Text>& texts, std::size_t tokens,
                int repeats) {
    Series load;
    std::unique_ptr<text::Tokenizer> tokenizer;
    for (int i = 0; i < std::min(repeats, 5); ++i)
        load.add([&] { tokenizer = text::openTokenizer(folder); });
    json out{{"folder", std::filesystem::path(folder).filename().string()},
             {"kind", tokenizer->kind()},
             {"vocabulary", tokenizer->vocabulary()},
             {"load_ms", load.median()}};
    for (const Text& text : texts)
        out["texts"].push_back(encodeTimes(*tokenizer, text, tokens, repeats));
    return out;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times tokenizers on one thread."};
    std::vector<std::string> models, files;
    std::size_t tokens = 131072;
    int repeats = 9;
    app.add_option("--model", models, "folders with a tokenizer")->required();
    app.add_option("--text", files, "text files, put together as one text");
    app.add_option("--tokens", tokens, "length of the texts")->check(CLI::Range(1, 1 << 24));
    app.add_option("--repeats", repeats, "calls a figure is the median of")
        ->check(CLI::Range(1, 1000));
    CLI11_PARSE(app, argc, argv);
    try {
        std::vector<Text> texts;
        if (!files.empty()) texts.push_back({"files", {}});
        for (const std::string& file : files)
            texts.front().bytes += io::readText(file);
        texts.push_back(randomText("random words", U'a', U'z', tokens * 4));
        texts.push_back(randomText("random Han", 0x4E00, 0x6FFF, tokens * 2));
        json out{{"threads", 1}};
        for (const std::string& model : models)
            out["models"].push_back(modelTimes(model, texts, tokens, repeats));
        std::cout << out.dump(2) << '\n';
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "tokenizer_bench: error: %s\n", e.what());
        return 1;
    }
}
