// The product libmovie.so: this target carries its link flags and nothing else.
@_exported import Embedding
