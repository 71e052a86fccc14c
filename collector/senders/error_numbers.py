"""The numbers of the delivery band, 600-699 (docs/errors.md); stable across releases.

    600-609  the network          640-644  the spool
    610-619  files and streams    645-649  S3
    620-629  HTTP answers         650-654  Kafka

They stand apart from what raises them: some of that needs libraries that only some
installations have, or that take long to load.
"""

from __future__ import annotations

NAME_UNKNOWN = 600
REFUSED = 601
TIMED_OUT = 602
UNTRUSTED = 603
WRONG_NAME = 604
CLIENT_CERTIFICATE = 605
TLS_FAILED = 606
CONNECTION_LOST = 607
NETWORK_FAILED = 608
TLS_FILES = 609

DISK_FULL = 610
FILE_DENIED = 611
FILE_FAILED = 612
FILE_GONE = 613
STREAM_CLOSED = 614
FILE_SHARED = 615

DENIED = 620
NOT_FOUND = 621
BUSY = 622
SERVER_FAILED = 623
REDIRECTED = 624
UNEXPECTED = 625
ALL_REFUSED = 626
UNREADABLE = 627
UNACKNOWLEDGED = 628
SETTINGS_REFUSED = 629

SPOOL_FULL = 640
LEFT_IN_SPOOL = 641

S3_DENIED = 645
S3_BUCKET = 646
S3_BUSY = 647
S3_CHANGED = 648
S3_FAILED = 649

KAFKA_DENIED = 650
KAFKA_TOPIC = 651
KAFKA_TOO_LARGE = 652
KAFKA_REPLICAS = 653
KAFKA_FAILED = 654
