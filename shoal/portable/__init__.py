"""A checkpoint as one program that needs no shoal: pixels in, cluster and confidence out.

Each module of a checkpoint has a mirror here, in PyTorch operations alone: the range of the pixels,
resizing, the encoder, reducers, clusterers, calibration. `model` joins them, `export_model` writes
the whole as ONNX or as ``torch.export`` does and compares it with `pipeline.predict`. The libraries
of ONNX are imported in this room alone, inside functions, for they are an extra. The room may
import what lies below `estimator`; nothing here learns, and no label enters.
"""
