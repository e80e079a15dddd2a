// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/value.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What a template says, as a tree. Expressions own their parts; no tree is deeper than kMostDepth,
// so that walking and destroying it needs no care.
namespace fkv::text::jinja {

inline constexpr int kMostDepth = 120;

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// An argument of a call; `name` is empty for one by position, "*" for a list of such, "**" for a
/// dict of named ones.
struct Argument {
    std::string name;
    ExprPtr value;
};
using Arguments = std::vector<Argument>;

enum class Operator : std::uint8_t {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power, // Binary
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn, // Comparison
    Minus,
    Plus,
    Not // Unary
};

struct Constant {
    Value value;
};
struct Name {
    std::string name;
};
struct Listing {
    std::vector<ExprPtr> items;
    bool tuple;
};
struct Mapping {
    std::vector<std::pair<ExprPtr, ExprPtr>> items;
};
struct Attribute {
    ExprPtr of;
    std::string name;
};
struct Item {
    ExprPtr of, index;
};
struct Slice {
    ExprPtr of, from, to, step;
}; ///< absent parts are null
struct Call {
    ExprPtr callee;
    Arguments arguments;
};
/// `of` is null in a block, where it stands for what the block printed.
struct Filter {
    ExprPtr of;
    std::string name;
    Arguments arguments;
};
struct Test {
    ExprPtr of;
    std::string name;
    Arguments arguments;
};
struct Unary {
    Operator op;
    ExprPtr of;
};
struct Binary {
    Operator op;
    ExprPtr left, right;
};
struct Concat {
    std::vector<ExprPtr> parts;
};
struct Comparison {
    ExprPtr first;
    std::vector<std::pair<Operator, ExprPtr>> rest;
};
struct Logic {
    bool isAnd;
    ExprPtr left, right;
};
struct Conditional {
    ExprPtr test, yes, no;
}; ///< `no` may be null

struct Expr {
    int line = 0;
    int depth = 1;
    std::variant<Constant, Name, Listing, Mapping, Attribute, Item, Slice, Call, Filter, Test,
                 Unary, Binary, Concat, Comparison, Logic, Conditional>
        node;
};

/// Where a value goes: a name, an attribute of a namespace, or several of them.
struct Target {
    std::string name;
    std::string attribute;     ///< of the namespace `name`; empty for a plain name
    std::vector<Target> parts; ///< not empty: the value is taken apart
};

struct Stmt;
using Body = std::vector<Stmt>;

struct Text {
    std::string text;
};
struct Output {
    ExprPtr value;
};
struct If {
    std::vector<std::pair<ExprPtr, Body>> branches;
    Body otherwise;
};
struct For {
    Target target;
    ExprPtr items, test;
    Body body, otherwise;
    bool recursive;
};
struct Set {
    Target target;
    ExprPtr value;
};
struct SetBlock {
    Target target;
    ExprPtr filter;
    Body body;
}; ///< `filter` may be null
/// Parameters with their defaults (null: none) and the text they make.
struct Signature {
    std::vector<std::pair<std::string, ExprPtr>> parameters;
    Body body;
};
struct MacroDefinition {
    std::string name;
    std::shared_ptr<const Signature> signature;
};
struct CallBlock {
    ExprPtr call;
    std::shared_ptr<const Signature> caller;
};
struct FilterBlock {
    ExprPtr filter;
    Body body;
};
struct With {
    std::vector<std::pair<Target, ExprPtr>> values;
    Body body;
};
struct Generation {
    Body body;
};
struct Break {};
struct Continue {};

struct Stmt {
    int line = 0;
    std::variant<Text, Output, If, For, Set, SetBlock, MacroDefinition, CallBlock, FilterBlock,
                 With, Generation, Break, Continue>
        node;
};

} // namespace fkv::text::jinja
