// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/mapped_file.h"
#include "engine/trace/run.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

namespace fkv::io {

// clang-format off
// A trace is a safetensors file. N tokens, L layers, H query heads, G KV heads, V vocabulary, w
// window, S tokens entering a layer (N, or T after TSP), C tokens a head keeps, M = N - w scored.
//
//   input_ids [N] i32
//   tokens.offsets [N, 2] u32               bytes of the prompt's text that a token covers
//   full.logits [V] f32                     of the last prompt token
//   full.greedy [n] i32                     ids of the full-context answer
//   full.saliency [L, G, M] f32
//   full.ranks.<layer> [G, M] u32           0 is best
//   full.tsp_ranks [L, M] u32               by saliency summed over the groups
//   full.mass [L, M] f32                    window sums summed over the query heads
//   full.window_sums.<layer> [H, M] f16     times full.window_sums.<layer>.scale [H] f32
//   fastkv.logits, fastkv.greedy            as above
//   fastkv.tsp_indices [T] i32              ascending positions; all N when TSP is off
//   fastkv.kept.<layer> [G, C] i32          ascending positions
//   fastkv.saliency.<layer> [G, S - w] f32
//   fastkv.ranks.<layer>, fastkv.window_sums.<layer>(.scale)   after TSP; column j is survivor j
//   tables.{all,without_end}.{k,overlap,recall,worst_recall}, tables.heads.{k,mass}
//   spans.{begin_ns,end_ns,zone,pass,layer,lane,tokens} [n]    zone, pass: see span_names
//   gpu.{ns,sm_mhz,memory_mhz,watts,celsius,limits} [n]        limits: bits of trace::ClockLimit
//   kernels.{begin_ns,end_ns,span,name} [n]                    span: of spans.*; name: of kernels.names
//   counters.<name> [1] i64, counters.checkpoint_layers [n] i32
//
// Metadata. Texts: schema, prompt, expected, given_up, rung (trace::Rung; else by given_up). JSON: versions, model, machine, scoring,
// settings (as given, decoding included), achieved, timing, fidelity, chat, full.answer, fastkv.answer, pieces, span_names, kernels.
// What a run does not have is absent. The saliency of layers up to TSP is listed under both names: a
// reader of one of them need not know where TSP was. A run of rung deployed or fastkv_alone has neither
// scoring nor full.* but the answer, nor what a layer or head keeps, and schema 2; others have schema 1.
// clang-format on

/// Newest schema this program writes; every older one opens.
inline constexpr int kTraceSchema = 2;

/// Writes a run that has at least its full pass, or on the deployed path FastKV's. Atomic: an earlier file survives any failure.
/// Text that is not valid UTF-8 (decoded from arbitrary ids) gets a '?' for each such byte.
/// Throws Error{Io}, or Error{Cancelled} leaving no file behind.
void saveTrace(const trace::Run& run, const std::filesystem::path& path,
               const std::stop_token& stop = {}, const std::function<void(double)>& progress = {});

/// Opens a trace. Large planes stay in the mapping. Checked are all extents, ids, offsets, spans,
/// that every row of ranks is a permutation, and that survivors and kept sets are those the ranks
/// give: any view can walk the result. Throws Error{BadFile} in one line for a foreign, damaged or
/// newer file. The result has recorded = true and id 0.
trace::RunPtr openTrace(const std::filesystem::path& path);
/// The same for a file that is in memory already.
trace::RunPtr openTrace(std::shared_ptr<const MappedFile> file);

/// True when the file's header carries a trace schema (a model's safetensors file does not).
bool isTrace(const std::filesystem::path& path);

} // namespace fkv::io
