"""What the rules of Bytekiln are called; README.md says how to use them."""

load(
    "//private:archive.bzl",
    _py_precompiled_layer = "py_precompiled_layer",
    _py_precompiled_zip = "py_precompiled_zip",
)
load("//private:aspect.bzl", _bytekiln_aspect = "bytekiln_aspect")
load("//private:precompile.bzl", _py_precompile = "py_precompile")
load("//private:providers.bzl", _BytekilnInfo = "BytekilnInfo")
load("//private:toolchain.bzl", _bytekiln_toolchain = "bytekiln_toolchain")

BytekilnInfo = _BytekilnInfo
bytekiln_aspect = _bytekiln_aspect
bytekiln_toolchain = _bytekiln_toolchain
py_precompile = _py_precompile
py_precompiled_layer = _py_precompiled_layer
py_precompiled_zip = _py_precompiled_zip
