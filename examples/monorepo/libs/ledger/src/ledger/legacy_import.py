# Reads the books of the old system, which still runs Python 2 on one machine.
def read(path):
    for line in open(path):
        print line.rstrip()
