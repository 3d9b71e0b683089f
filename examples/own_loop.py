"""`shoal.train` is a generator: stop it, log it or save it as you like; no callbacks.

python examples/own_loop.py trainX.npy
"""

import sys

import shoal

source = shoal.open_source(sys.argv[1])
for checkpoint in shoal.train(source, shoal.override(shoal.BEST, ["epochs=3"])):
    if checkpoint.step % 10 == 0 and checkpoint.history:
        print(checkpoint.step, checkpoint.history[-1])
        shoal.save(checkpoint, "runs/latest.pth", force=True)
print("reconstruction error", shoal.reconstruction_mse(source, checkpoint))
