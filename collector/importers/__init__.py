"""The configurations of other products, made into one of ours.

A file is read (``reading``) into blocks whose settings are taken one by one
(``original``), by the product's own table (``sumo``, ``virtualmetric``, ``observo``,
``stellar``, ``devo``), into a draft that remembers what became of each (``draft``).
Secrets leave the draft as references (``references``), and the configuration models
judge what is written before anybody sees it (``judging``).
"""
