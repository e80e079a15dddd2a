// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/bench.h"
#include "engine/cli/info.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/profile.h"
#include "engine/core/error.h"
#include "engine/model/shapes.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <limits>
#include <new>

namespace {

using namespace fkv;

constexpr int kDone = 0, kFault = 1, kUsage = 2, kInterrupted = 130;

void addCommon(CLI::App& verb, std::string& device, bool& json) {
    verb.add_option("--device", device, "auto, cpu or cuda:N")->capture_default_str();
    verb.add_flag("--json", json, "print one JSON object");
}

void addSampling(CLI::App& verb, trace::Sampling& s) {
    verb.add_option("--temperature", s.temperature,
                    "logits are divided by it and a token is drawn; 0: greedy, the likeliest token")
        ->capture_default_str();
    verb.add_option("--top-k", s.topK, "draw among this many of the likeliest tokens; 0: all")
        ->capture_default_str();
    verb.add_option("--top-p", s.topP,
                    "draw among the likeliest that reach this probability; 1: all")
        ->capture_default_str();
    verb.add_option("--seed", s.seed,
                    "of the draws; full context and the method draw with the same numbers")
        ->check(CLI::Range(std::uint32_t{0}, std::numeric_limits<std::uint32_t>::max()))
        ->capture_default_str();
}

void addMemory(CLI::App& verb, std::int64_t& bytes) {
    verb.add_option("--memory", bytes,
                    "use this much of the device at most, 20GiB: what does not fit is given up")
        ->transform(CLI::AsSizeValue(true))
        ->check(CLI::PositiveNumber);
}

void addProfile(CLI::App& verb, cli::ProfileOptions& o) {
    verb.add_option("--model", o.model, "Hugging Face model folder")->required();
    auto* prompt = verb.add_option_group("prompt", "what to run");
    prompt->add_option("--prompt", o.prompt, "prompt text");
    prompt->add_option("--prompt-file", o.promptFile, "file with the prompt text");
    auto* ids =
        prompt->add_option("--ids-file", o.idsFile, "JSON array of token ids, used as they are");
    prompt->require_option(1);
    auto* chat = verb.add_flag("--chat", o.chat,
                               "the prompt is a user's message: the model's chat template is used");
    chat->excludes(ids);
    verb.add_option("--system", o.system, "system message of the chat")->needs(chat);
    verb.add_option("--date", o.date,
                    "day that the chat template is told, 2026-01-31; default: today")
        ->needs(chat);
    verb.add_option("--method", o.method, "full or fastkv")
        ->check(CLI::IsMember({"full", "fastkv"}))
        ->capture_default_str();
    verb.add_option("--tsp-layer", o.tspLayer,
                    "TSP layer, from 0; default: half of them, less one");
    auto* rate =
        verb.add_option("--tsp-rate", o.tspRate, "share of tokens that pass TSP; default 0.2");
    verb.add_option("--tsp-tokens", o.tspTokens, "tokens that pass TSP")->excludes(rate);
    auto* kvRate =
        verb.add_option("--kv-rate", o.kvRate, "share of tokens every KV head keeps; default 0.1");
    verb.add_option("--kv-tokens", o.kvTokens, "tokens every KV head keeps")->excludes(kvRate);
    verb.add_option("--window", o.window, "newest tokens, always kept")->capture_default_str();
    verb.add_option("--kernel", o.kernel, "pooling kernel, odd")->capture_default_str();
    verb.add_option("--pooling", o.pooling, "max or avg")
        ->check(CLI::IsMember({"max", "avg"}))
        ->capture_default_str();
    verb.add_option("--generate", o.generate, "tokens to generate at most")
        ->check(CLI::Range(0, trace::kMostGenerate))
        ->capture_default_str();
    addSampling(verb, o.sampling);
    verb.add_option("--stop", o.stop, "cuts the shown answer before this text");
    verb.add_option("--measure", o.measure, "times the deployed path, this often; default 3")
        ->expected(0, 1)
        ->default_str("3")
        ->check(CLI::Range(1, 1000));
    addMemory(verb, o.memoryBytes);
    verb.add_flag("--kernels", o.kernels, "record the GPU's kernels; what is traced runs longer");
    verb.add_option("--out", o.out, "write a trace, as safetensors");
    addCommon(verb, o.device, o.json);
}

void addBench(CLI::App& verb, cli::BenchOptions& o) {
    verb.add_option("--shape", o.shape, "dimensions of a published model")
        ->check(CLI::IsMember(model::shapeNames()))
        ->capture_default_str();
    verb.add_flag_callback(
        "--random-weights", [] {}, "seeded weights made on the device: the only ones a shape has");
    verb.add_option("--tokens", o.tokens, "prompt lengths")
        ->delimiter(',')
        ->check(CLI::Range(16, 1 << 20));
    verb.add_option("--repeats", o.repeats, "timed runs, after one warm-up")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb.add_option("--decode", o.decode, "tokens to decode")
        ->check(CLI::Range(8, 4096))
        ->capture_default_str();
    verb.add_option("--seed", o.seed, "of weights and prompt")->capture_default_str();
    addCommon(verb, o.device, o.json);
}

/// Every fault is one line, whatever it was.
int report(const std::string& what, int code) {
    std::fprintf(stderr, "fastkv: error: %s\n", what.c_str());
    return code;
}

int usage(const CLI::App& app, const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e); // --help
    std::string line = e.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    return report(line + " (see --help)", kUsage);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Runs FastKV on a model and reports what it keeps, costs and saves.", "fastkv"};
    app.set_version_flag("--version", FKV_VERSION);
    app.require_subcommand(1);
    cli::ProfileOptions profile;
    CLI::App* profileVerb =
        app.add_subcommand("profile", "full-context reference and the chosen method on one prompt");
    addProfile(*profileVerb, profile);
    cli::InfoOptions info;
    CLI::App* infoVerb = app.add_subcommand("info", "what a model folder or a trace holds");
    infoVerb->add_option("path", info.path, "model folder or trace file")->required();
    infoVerb->add_option("--tokens", info.tokens, "say what a prompt of this length needs")
        ->check(CLI::Range(1, 1 << 26));
    infoVerb->add_option("--generate", info.generate, "tokens generated after it")
        ->check(CLI::Range(0, trace::kMostGenerate))
        ->capture_default_str();
    addMemory(*infoVerb, info.memoryBytes);
    addCommon(*infoVerb, info.device, info.json);
    cli::BenchOptions bench;
    CLI::App* benchVerb =
        app.add_subcommand("bench", "times a published model's shape with random weights");
    addBench(*benchVerb, bench);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return usage(app, e);
    }
    cli::Interrupt interrupt;
    cli::Terminal terminal;
    const auto fault = [&](const std::string& what) {
        terminal.clear();
        return report(what, kFault);
    };
    try {
        if (profileVerb->parsed())
            cli::profile(profile, terminal, interrupt.token(), std::cout);
        else if (benchVerb->parsed())
            cli::bench(bench, terminal, interrupt.token(), std::cout);
        else
            cli::info(info, std::cout);
        std::cout.flush();
        return std::cout ? kDone : fault("cannot write the result to standard output");
    } catch (const Error& e) {
        if (e.code() != ErrorCode::Cancelled) return fault(e.what());
        terminal.clear();
        return kInterrupted;
    } catch (const std::bad_alloc&) {
        return fault("not enough memory");
    } catch (const std::exception& e) {
        return fault(e.what());
    }
}
