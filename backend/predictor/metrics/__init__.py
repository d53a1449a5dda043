"""How good detections are: matched by event, and as a volume under the precision-recall surface."""
